import pg from 'pg'
import type { CommandBus } from '../../src/index.ts'
import { loadLibrary } from '../build.ts'
import { say } from '../mode.ts'
import { payload, sleep } from '../work.ts'
import { type Copies, copyCommand, type Original } from './copies.ts'

const DAY_MS = 86_400_000
const commandType = 'Measure'

/** The events of a copied command that was completed at its first attempt: sent, and completed with its receipt. */
const EVENTS_OF_A_LIFE = 2

/** The one command's life takes less than this. */
const LIVED_MS = 60_000

type StatusOf = (original: Original) => Promise<string | undefined>

/** Sends a command and works on it until it has this status; the first of its copies are verified. */
const liveAndCopy = async (
  url: string,
  copies: Copies,
  live: (bus: CommandBus, isIn: StatusOf) => Promise<Original>,
): Promise<void> => {
  const { createCommandBus } = await loadLibrary()
  const bus = createCommandBus({ databaseUrl: url })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const statusOf: StatusOf = async ({ domain, commandId }) => {
      const { rows } = await client.query<{ status: string }>(
        `select case when next_attempt_at is not null then 'WAITING' else status end as status
         from command_bus_command where domain = $1 and command_id = $2`,
        [domain, commandId],
      )
      return rows[0]?.status
    }
    const original = await live(bus, statusOf)
    let verified = false
    const onProgress = async (done: number) => {
      if (!verified) await verifyWith(bus)
      verified = true
      await copies.onProgress?.(done)
    }
    await copyCommand(client, original, { ...copies, onProgress })
    // the server's own vacuum would do it in the middle of a measurement
    await client.query('vacuum (analyze)')
  } finally {
    await client.end()
    await bus.close()
  }
}

/** @throws when what was copied so far is not as the bus writes it */
export const verifyCopies = async (url: string): Promise<void> => {
  const { createCommandBus } = await loadLibrary()
  const bus = createCommandBus({ databaseUrl: url })
  await verifyWith(bus).finally(bus.close)
}

/** All after the first set are made by the same statements. */
const verifyWith = async (bus: CommandBus): Promise<void> => {
  const { findings, events } = await bus.maintenance.verifyLog({ limit: 3 })
  if (findings.length > 0)
    throw new Error(`the copies are not as the bus writes them: ${findings.map(({ message }) => message).join('; ')}`)
  say(`verified: ${events.toLocaleString('en-US')} events, their rows and messages`)
}

const untilIn = async (statusOf: StatusOf, original: Original, status: string): Promise<void> => {
  const deadline = performance.now() + LIVED_MS
  while ((await statusOf(original)) !== status) {
    if (performance.now() > deadline) throw new Error(`the command to copy is not ${status} after ${LIVED_MS / 1000} s`)
    await sleep(20)
  }
}

/** Commands that were sent, worked on and completed over the last 30 days, with `events` events in all. */
export const fillLog = (url: string, events: number, check: () => void): Promise<void> => {
  const count = Math.ceil(events / EVENTS_OF_A_LIFE)
  const onProgress = (copies: number) => {
    check()
    say(`${(copies * EVENTS_OF_A_LIFE).toLocaleString('en-US')} of ${events.toLocaleString('en-US')} events`)
  }
  return liveAndCopy(url, { count, spreadMs: 30 * DAY_MS, onProgress }, async (bus, statusOf) => {
    const domain = 'bench_history'
    const { commandId } = await bus.send(domain, commandType, payload(1))
    const original = { domain, commandId }
    const worker = bus.worker({ domain, handlers: { [commandType]: async () => ({ handled: 1 }) } })
    await worker.start()
    await untilIn(statusOf, original, 'COMPLETED')
    await worker.stop()
    return original
  })
}

/** Commands that failed once and wait for their second attempt, which is hours away, on this domain's queue. */
export const fillQueue = (url: string, domain: string, commands: number, check: () => void): Promise<void> =>
  liveAndCopy(url, { count: commands, spreadMs: DAY_MS / 2, onProgress: check }, async (bus, statusOf) => {
    const { TransientCommandError } = await loadLibrary()
    const options = { maxAttempts: 2, backoffSeconds: [DAY_MS / 1_000] }
    const { commandId } = await bus.send(domain, commandType, payload(1), options)
    const original = { domain, commandId }
    const refuse = async () => {
      throw new TransientCommandError('BUSY', 'the bank is busy')
    }
    const worker = bus.worker({ domain, handlers: { [commandType]: refuse } })
    await worker.start()
    await untilIn(statusOf, original, 'WAITING')
    await worker.stop()
    return original
  })
