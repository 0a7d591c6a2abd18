import type { HttpFigures } from './http.ts'

const decimals = (value: number, digits: number): number => Number(value.toFixed(digits))

export const httpTable = (
  { senders, seconds, accepted, rate, p50Ms, p99Ms, maxMs }: HttpFigures,
  raw: number,
): string =>
  [
    `http: ${senders} senders at once for ${decimals(seconds, 1)} s, ${accepted.toLocaleString('en-US')} commands accepted, all of them in the log`,
    `  per second    ${Math.round(rate).toLocaleString('en-US')}`,
    `  p50           ${decimals(p50Ms, 1)} ms`,
    `  p99           ${decimals(p99Ms, 1)} ms`,
    `  slowest       ${decimals(maxMs, 1)} ms`,
    `  ratio to raw  ${(rate / raw).toFixed(2)}`,
  ].join('\n')

export const httpJson = ({ rate, p50Ms, p99Ms }: HttpFigures, raw: number): string =>
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
