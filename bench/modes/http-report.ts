import { type Mode, onDatabase, say } from '../mode.ts'
import { commandsOf } from '../options.ts'
import { openRaw } from '../raw.ts'
import { decimals } from '../report.ts'
import { settle } from '../server.ts'
import { type HttpFigures, measureHttp } from './http.ts'

const httpTable = ({ senders, seconds, accepted, rate, p50Ms, p99Ms, maxMs }: HttpFigures, raw: number): string =>
  [
    `http: ${senders} senders at once for ${decimals(seconds, 1)} s, ${accepted.toLocaleString('en-US')} commands accepted, all of them in the log`,
    `  per second    ${Math.round(rate).toLocaleString('en-US')}`,
    `  p50           ${decimals(p50Ms, 1)} ms`,
    `  p99           ${decimals(p99Ms, 1)} ms`,
    `  slowest       ${decimals(maxMs, 1)} ms`,
    `  ratio to raw  ${(rate / raw).toFixed(2)}`,
  ].join('\n')

const httpJson = ({ rate, p50Ms, p99Ms }: HttpFigures, raw: number): string =>
  JSON.stringify({
    results: [
      {
        work: 'http',
        variant: 'ours',
        rate: decimals(rate, 1),
        raw: decimals(raw, 1),
        ratio: decimals(rate / raw, 3),
        p50Ms: decimals(p50Ms, 2),
        p99Ms: decimals(p99Ms, 2),
      },
    ],
  })

/** Beside it the rate of `pgmq.send` by hand on 10 connections, measured right before on the same server. */
export const http: Mode = {
  usage: [
    'http             instead of the rest: senders over HTTP, against the service in a process of its own; nothing may be lost',
    '--senders <n>    of http: how many send at once, default 200',
    '--seconds <n>    of http and eventstoredb: for how long, default 30',
  ],
  run: onDatabase(async ({ database, options, check }) => {
    const raw = await openRaw(database.url, () => settle(database.url))
    const rawRate = await raw.measure['send-10'](commandsOf(options)).finally(raw.close)
    say(`raw: ${Math.round(rawRate).toLocaleString('en-US')} a second through pgmq.send`)
    const figures = await measureHttp(database.url, { senders: options.senders, seconds: options.seconds, check })
    return { table: httpTable(figures, rawRate), json: httpJson(figures, rawRate) }
  }),
}
