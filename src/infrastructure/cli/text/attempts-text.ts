import type { Attempt } from '../../../application/investigation/attempts.ts'
import { traceLines } from './error-text.ts'
import { type Column, table, when } from './output.ts'

/** `850 ms`, `2.5 s`, `3 min 20 s`. */
const duration = (ms: number | null): string => {
  if (ms === null) return ''
  if (ms < 1_000) return `${ms} ms`
  if (ms < 60_000) return `${Math.round(ms / 100) / 10} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`
}

const numberOf = ({ round, attempt }: Attempt, rounds: number): string =>
  rounds > 1 ? `${round}.${attempt}` : String(attempt)

const columns = (rounds: number): readonly Column<Attempt>[] => [
  { title: 'NO.', value: attempt => numberOf(attempt, rounds) },
  { title: 'DUE', value: ({ dueAt }) => when(dueAt) },
  { title: 'STARTED', value: ({ startedAt }) => when(startedAt) },
  { title: 'WAITED', value: ({ waitedMs }) => duration(waitedMs) },
  { title: 'RAN', value: ({ ranMs }) => duration(ranMs) },
  { title: 'OUTCOME', value: ({ outcome }) => outcome },
  { title: 'ERROR', value: ({ error }) => (error === null ? '' : `${error.code}: ${error.message}`), flexible: true },
  { title: 'WORKER', value: ({ worker }) => worker, flexible: true },
  { title: 'BUILD', value: ({ build }) => build, flexible: true },
]

/** The attempts as a table, oldest first, and below it the stack of each that failed. */
export const attemptsText = (attempts: readonly Attempt[]): string => {
  if (attempts.length === 0) return 'No attempts yet.'
  const rounds = attempts.at(-1)?.round ?? 1
  const traces = attempts.flatMap(attempt => {
    const lines = traceLines(attempt.error ?? {})
    return lines.length === 0
      ? []
      : [[`Attempt ${numberOf(attempt, rounds)}`, ...lines.map(line => `  ${line}`)].join('\n')]
  })
  return [table(attempts, columns(rounds)), ...traces].join('\n\n')
}
