import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { loadLibrary } from '../build.ts'
import { query, settle } from '../server.ts'
import { batches, payload, sleep } from '../work.ts'
import type { ToScaleWorker } from './worker-process.ts'

const commandType = 'Measure'
const WARM_UP = 1_000
const POLL_MS = 100
/** By then all commands are sent, the statistics made and a checkpoint written. */
const leadMs = (commands: number, domains: number): number => 5_000 + commands + domains * 300
/** Nothing completed for so long: the workers have stopped. */
const STUCK_MS = 60_000

export type Fleet = { readonly processes: number; readonly domains: number }

type Asked = { readonly url: string; readonly commands: number; readonly check: () => void }
type Done = { readonly completed: number; readonly seconds: number | null }

let measured = 0

/** A worker in a process of its own that is warm. */
const startWorker = async (settings: ToScaleWorker) => {
  const child: ChildProcess = fork(fileURLToPath(new URL('./worker-process.js', import.meta.url)))
  const exited = once(child, 'exit')
  const ready = once(child, 'message')
  child.send(settings)
  const stop = async () => {
    if (child.connected) child.disconnect()
    await exited
  }
  const isReady = Promise.race([
    ready,
    exited.then(() => Promise.reject(new Error('the process of a worker has ended; see the lines above'))),
  ])
  return { isReady, hasEnded: () => child.exitCode !== null || child.signalCode !== null, stop }
}

/** How many commands are completed, and the time between the first and the last of them. */
const doneIn = (url: string, domains: readonly string[]): Promise<Done> =>
  query(url, async client => {
    const { rows } = await client.query<Done>(
      `select count(*)::integer as completed, extract(epoch from max(updated_at) - min(updated_at))::float8 as seconds
       from command_bus_command where domain = any ($1::text[]) and status = 'COMPLETED'`,
      [domains],
    )
    return rows[0] ?? { completed: 0, seconds: null }
  })

/** Whether commands still wait; costs the server little, as a completed command's message is gone. */
const wait = (url: string, domains: readonly string[]): Promise<boolean> =>
  query(url, async client => {
    for (const domain of domains) {
      const queue = client.escapeIdentifier(`q_${domain}__commands`)
      const { rows } = await client.query(`select from pgmq.${queue} limit 1`)
      if (rows.length > 0) return true
    }
    return false
  })

/** Sends as many to each domain, all due at the same moment, when the last has long been sent. */
const sendAll = async ({ url, commands, check }: Asked, domains: readonly string[]): Promise<void> => {
  const due = performance.now() + leadMs(commands, domains.length)
  const { createCommandBus } = await loadLibrary()
  const bus = createCommandBus({ databaseUrl: url })
  const each = commands / domains.length
  try {
    for (const domain of domains) {
      for (const batch of batches(each)) {
        check()
        const delaySeconds = Math.max(0, due - performance.now()) / 1000
        await bus.sendBatch(
          domain,
          batch.map(index => ({ commandType, data: payload(index), delaySeconds })),
        )
      }
    }
    await settle(url)
    if (performance.now() > due) throw new Error('the commands were due before all of them were sent')
  } finally {
    await bus.close()
  }
}

/** Commands a second, from the first completion to the last, of commands that were sent before, in new domains. */
export const rateOf = async (fleet: Fleet, asked: Asked): Promise<number> => {
  const { url, check } = asked
  const name = `bench_${process.pid}_${measured++}`
  const domains = Array.from({ length: fleet.domains }, (_, i) => `${name}_${i}`)
  const workers: Awaited<ReturnType<typeof startWorker>>[] = []
  try {
    for (let i = 0; i < fleet.processes; i++)
      workers.push(await startWorker({ url, domains, commandType, warmUp: WARM_UP }))
    await Promise.all(workers.map(({ isReady }) => isReady))
    await sendAll(asked, domains)
    let [before, since] = [-1, performance.now()]
    while (await wait(url, domains)) {
      check()
      if (workers.some(({ hasEnded }) => hasEnded())) throw new Error('the process of a worker has ended')
      if (performance.now() - since > STUCK_MS) {
        const { completed } = await doneIn(url, domains)
        if (completed === before) throw new Error(`nothing was completed for ${STUCK_MS / 1000} s`)
        before = completed
        since = performance.now()
      }
      await sleep(POLL_MS)
    }
  } finally {
    await Promise.all(workers.map(({ stop }) => stop()))
  }
  const { completed, seconds } = await doneIn(url, domains)
  if (completed !== asked.commands) throw new Error(`${completed} of ${asked.commands} commands are completed`)
  return completed / (seconds ?? Number.NaN)
}
