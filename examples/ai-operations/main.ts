import { setTimeout as delay } from 'node:timers/promises'
import { type CommandBus, createCommandBus, type Operation, type StartOperation } from 'commandbus'
import { createChat } from './chat.ts'
import { prepareDatabase } from './database.ts'
import { aiHandlers } from './handlers.ts'
import { startMockServer } from './mock-server.ts'

const { AI_BASE_URL, AI_API_KEY, AI_MODEL = 'gpt-4o-mini' } = process.env
const ada = { subject: 'ada', tenant: null }

/** Polls like a page until the operation has ended, and prints how. */
const outcomeOf = async (bus: CommandBus, { id }: Operation): Promise<Operation> => {
  for (;;) {
    const operation = await bus.operations.get(ada, id)
    if (operation.status === 'completed' || operation.status === 'failed') {
      console.log(`${operation.operation_type}: ${operation.status}`, operation.result ?? operation.error_message)
      return operation
    }
    await delay(100)
  }
}

const run = async (bus: CommandBus, start: StartOperation): Promise<void> => {
  const operation = await outcomeOf(bus, await bus.operations.start(ada, start))
  if (!operation.retriable) return
  console.log('Ada clicks Retry')
  await outcomeOf(bus, await bus.operations.retry(ada, operation.id))
}

const mock = AI_BASE_URL ? null : await startMockServer()
if (mock !== null) console.log('No AI_BASE_URL is set: a small mock server answers here, and no model.')

const database = await prepareDatabase()
const bus = createCommandBus({
  databaseUrl: database.url,
  log: {
    debug: () => {},
    info: (fields, message) => console.log(`[${message}]`, JSON.stringify(fields)),
    warn: (fields, message) => console.warn(`[${message}]`, JSON.stringify(fields)),
    error: (fields, message) => console.error(`[${message}]`, JSON.stringify(fields)),
  },
})
try {
  const chat = createChat({
    baseUrl: mock?.baseUrl ?? AI_BASE_URL ?? '',
    model: AI_MODEL,
    ...(AI_API_KEY ? { apiKey: AI_API_KEY } : {}),
  })
  await bus.worker({ domain: 'operations', handlers: aiHandlers(chat) }).start()
  await run(bus, { operation_type: 'question_generation', parameters: { topic: 'message queues' } })
  await run(bus, { operation_type: 'feedback_analysis', parameters: { feedback: 'clear, but without examples' } })
} finally {
  await bus.close()
  await database.drop()
  mock?.close()
}
