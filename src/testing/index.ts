export type { Reply } from '../application/replies/reply.ts'
export type { Expectations } from './expectations.ts'
export { NotInMemoryError } from './memory/refusals.ts'
export { type Incident, incidents } from './running/incidents.ts'
export {
  type Duration,
  type Inject,
  type InjectOptions,
  type QueuedMessage,
  type TestBus,
  type TestBusOptions,
  testBus,
} from './test-bus.ts'
