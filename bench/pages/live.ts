import type { CommandBus } from '../../src/index.ts'
import { loadLibrary } from '../build.ts'
import type { Original } from '../growth/copies.ts'
import { payload, sleep } from '../work.ts'
import type { Ending, Kind } from './kinds.ts'

const DAY_SECONDS = 86_400
const LIVED_MS = 60_000

/** The statuses in which lives rest. */
const statusOf: Readonly<Record<Ending, string>> = {
  completed: 'COMPLETED',
  parked: 'IN_TROUBLESHOOTING_QUEUE',
  failed: 'FAILED',
  canceled: 'CANCELED',
  waiting: 'PENDING',
  retrying: 'PENDING',
  scheduled: 'PENDING',
}

const messages: Readonly<Partial<Record<Ending, string>>> = {
  parked: 'the provider refused it for good, and said why in a sentence that is about as long as this one',
  failed: 'a rule of the business forbids it',
  retrying: 'the gateway is busy',
}

type Payload = { readonly ending: Ending; readonly errorCode: string }

/** One life of each kind, as the bus writes it. What has to wait is sent last, when its workers are gone. */
export const liveOnce = async (url: string, kinds: readonly Kind[]): Promise<readonly Original[]> => {
  const { createCommandBus, BusinessRuleError, PermanentCommandError, TransientCommandError } = await loadLibrary()
  const handle = ({ ending, errorCode }: Payload) => {
    const message = messages[ending] ?? ''
    if (ending === 'parked') throw new PermanentCommandError(errorCode, message)
    if (ending === 'failed') throw new BusinessRuleError(errorCode, message)
    if (ending === 'retrying') throw new TransientCommandError(errorCode, message)
    return { handled: true }
  }
  const bus = createCommandBus({ databaseUrl: url, service: 'shop' })
  try {
    const originals: Original[] = []
    const send = async (kind: Kind, index: number): Promise<void> => {
      const { domain, commandType, ending, errorCode, tenantId } = kind
      const { commandId } = await bus.send(
        domain,
        commandType,
        { ...payload(index), ending, errorCode },
        {
          ...(tenantId === null ? {} : { tenantId }),
          // its reply is still owed, and no copy has to bring one
          ...(ending === 'parked' || ending === 'waiting' ? { replyTo: 'shop_replies' } : {}),
          ...(ending === 'retrying' ? { maxAttempts: 2, backoffSeconds: [DAY_SECONDS] } : {}),
          ...(ending === 'scheduled' || ending === 'canceled' ? { delaySeconds: DAY_SECONDS } : {}),
        },
      )
      if (ending === 'canceled') await bus.cancel(domain, commandId, { actor: 'ann', reason: 'not wanted' })
      originals[index] = { domain, commandId }
    }
    const all = kinds.map((kind, index) => ({ kind, index }))
    const later = all.filter(({ kind }) => kind.ending === 'waiting')
    const now = all.filter(({ kind }) => kind.ending !== 'waiting')
    for (const { kind, index } of now) await send(kind, index)
    const workers = [...new Set(kinds.map(({ domain }) => domain))].map(domain =>
      bus.worker({ domain, handlers: { '*': { handle } }, pollMs: 100 }),
    )
    await Promise.all(workers.map(worker => worker.start()))
    for (const { kind, index } of now) await rest(bus, kind, originals[index])
    await Promise.all(workers.map(worker => worker.stop()))
    for (const { kind, index } of later) await send(kind, index)
    return originals
  } finally {
    await bus.close()
  }
}

const rest = async (bus: CommandBus, { ending, domain, commandType }: Kind, original: Original | undefined) => {
  const deadline = performance.now() + LIVED_MS
  for (;;) {
    const command = original === undefined ? null : await bus.getCommand(domain, original.commandId)
    const isThere = command?.status === statusOf[ending] && (ending !== 'retrying' || command.nextAttemptAt !== null)
    if (isThere) return
    if (performance.now() > deadline) throw new Error(`${commandType} is not ${ending} after ${LIVED_MS / 1000} s`)
    await sleep(20)
  }
}
