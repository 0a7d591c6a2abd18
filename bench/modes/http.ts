import { Agent, request } from 'node:http'
import pg from 'pg'
import { startService } from '../service.ts'
import { payload } from '../work.ts'

/** What many senders at once managed over HTTP. */
export interface HttpFigures {
  readonly senders: number
  readonly seconds: number
  /** Commands that were answered with 202. */
  readonly accepted: number
  readonly rate: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const domain = 'bench_http'
interface Sender {
  /** The id of the sent command. */
  readonly send: (index: number) => Promise<string>
  readonly close: () => void
}

const openSender = (url: string, token: string, connections: number): Sender => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const { hostname, port } = new URL(url)
  const target = {
    hostname,
    port,
    agent,
    method: 'POST',
    path: `/api/v1/domains/${domain}/commands`,
  }
  const send = (index: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify({ commandType: 'Measure', data: payload(index) })
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      }
      const sending = request({ ...target, headers }, response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', chunk => {
          text += chunk
        })
        response.on('error', reject)
        response.on('end', () => {
          if (response.statusCode === 202) resolve(JSON.parse(text).commandId)
          else reject(new Error(`a send was answered with ${response.statusCode}: ${text.slice(0, 300)}`))
        })
      })
      sending.on('error', reject)
      sending.end(body)
    })
  return { send, close: () => agent.destroy() }
}

/** Every command that was answered with 202 is in the log, in the read table and on the queue, and nothing else is. */
const expectNothingLost = async (databaseUrl: string, ids: readonly string[]): Promise<void> => {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, number>>(
      `select (select count(*)::integer from command_bus_event where stream like 'command-${domain}-%') as log,
              (select count(*)::integer from command_bus_command where domain = '${domain}') as rows,
              (select count(*)::integer from pgmq.q_${domain}__commands) as messages,
              (select count(*)::integer from command_bus_command
               where domain = '${domain}' and command_id = any ($1::uuid[])) as known`,
      [ids],
    )
    const sent = new Set(ids).size
    for (const [where, count] of [['ids', sent] as const, ...Object.entries(rows[0] ?? {})]) {
      if (count !== ids.length) throw new Error(`http: ${ids.length} commands were accepted, but ${where}: ${count}`)
    }
  } finally {
    await client.end()
  }
}

const percentile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

export interface HttpWork {
  readonly senders: number
  readonly seconds: number
  /** Called all the time; throws to end the measurement. */
  readonly check: () => void
}

/** `senders` clients, each with a connection of its own, send one command after the other for `seconds`. */
export const measureHttp = async (databaseUrl: string, { senders, seconds, check }: HttpWork): Promise<HttpFigures> => {
  const service = await startService(databaseUrl, { subject: 'bench', tenant: null, roles: ['SENDER'] })
  const sender = openSender(service.url, service.token, senders)
  const ids: string[] = []
  const tookMs: number[] = []
  try {
    const lane = async (until: number, measured: boolean) => {
      while (performance.now() < until) {
        check()
        const start = performance.now()
        ids.push(await sender.send(ids.length))
        if (measured) tookMs.push(performance.now() - start)
      }
    }
    const lanes = (ms: number, measured: boolean) => {
      const until = performance.now() + ms
      return Promise.all(Array.from({ length: senders }, () => lane(until, measured)))
    }
    await lanes(WARM_UP_MS, false)
    const start = performance.now()
    await lanes(seconds * 1000, true)
    const took = (performance.now() - start) / 1000
    sender.close()
    await service.stop()
    await expectNothingLost(databaseUrl, ids)
    const sorted = Float64Array.from(tookMs).sort()
    return {
      senders,
      seconds: took,
      accepted: ids.length,
      rate: tookMs.length / took,
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      maxMs: percentile(sorted, 1),
    }
  } finally {
    sender.close()
    await service.stop()
  }
}

const WARM_UP_MS = 2_000
