/** What the pages' fragments of TypeScript take for granted: in scope of all of them, and of nothing else. */
export const fragmentGlobals = `
type Library = typeof import('commandbus')
type Handle = import('commandbus').Handler

declare const bus: import('commandbus').CommandBus
declare const worker: import('commandbus').Worker
declare const createCommandBus: Library['createCommandBus']
declare const defineCommand: Library['defineCommand']
declare const defineHandler: Library['defineHandler']
declare const RequestTimedOutError: Library['RequestTimedOutError']
declare const PermanentCommandError: Library['PermanentCommandError']
declare const TransientCommandError: Library['TransientCommandError']

declare const databaseUrl: string
declare const eventStoreUrl: string
declare const commandId: string
declare const handlers: { [commandType: string]: Handle }
declare const charge: Handle
declare const processFile: Handle
declare const processBatch: Handle
declare const handle: () => Promise<void>
declare const Charge: import('io-ts').Type<{ card: { number: string } }>
declare const schema: typeof Charge
declare const spansOfCommands: import('commandbus').Telemetry

// what a service of the reader has and does
declare const app: import('fastify').FastifyInstance
declare const connectToBank: () => { charge: (order: number, amount: number) => Promise<{ ok: boolean }> }
declare const askAgainLater: (domain: string, commandId: string) => Promise<void>
declare const noteLateReply: import('commandbus').ReplyHandler
declare const markPaid: (commandId: string, data: unknown) => Promise<void>
declare const markRefused: (commandId: string, error: unknown) => Promise<void>

// their configuration is tried with the tools themselves by \`npm run test:package\`
declare module 'drizzle-kit'
declare module 'prisma/config'
`
