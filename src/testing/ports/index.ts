export type { Noted, Opened, OpenTransaction } from './contract-kit.ts'
export { eventStoreSuite } from './event-store.ts'
export { type Case, type HandlerUnderTest, handlerSuite } from './handler.ts'
export type { Vitest } from './vitest.ts'
