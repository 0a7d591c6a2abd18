import type { CommandHistory, Comparison } from '../../../application/investigation/read-history.ts'
import type { CommandError } from '../../../domain/command/events.ts'
import type { CommandSnapshot } from '../../../domain/command/history.ts'
import type { Step } from '../../../domain/history.ts'
import type { Change } from '../../../domain/json/json-diff.ts'
import { traceLines } from './error-text.ts'
import { fields, plain, pretty } from './output.ts'

/** The history of a command as people read it: a block for each event with what it changed, and the state at the end. */
export const historyText = ({ domain, commandId, items, state, comparison }: CommandHistory): string =>
  [
    `Command ${commandId} in ${domain}`,
    ...(items.length === 0 ? ['Nothing had happened by then.'] : items.map(stepText)),
    ...(comparison === null ? [`State\n${stateText(state)}`] : [comparisonText(comparison)]),
  ].join('\n\n')

/** One event: when, what, who, and what it changed. */
export const stepText = ({ revision, at, sinceLastMs, names, actor, diff, event }: Step<unknown, unknown>): string =>
  [
    `#${revision}  ${at}${waitText(sinceLastMs)}  ${names.join(', ')}  by ${plain(actor)}`,
    ...changesText(diff),
    ...traceText(event),
  ].join('\n')

const traceText = (event: unknown): readonly string[] => {
  const { error } = event as { readonly error?: CommandError }
  return error === undefined ? [] : traceLines(error).map(line => `    ${line}`)
}

/** An event may change a thousand files at once. */
const MOST_CHANGES = 60

const changesText = (diff: readonly Change[]): readonly string[] =>
  diff.length <= MOST_CHANGES
    ? diff.map(changeText)
    : [
        ...diff.slice(0, MOST_CHANGES).map(changeText),
        `    and ${diff.length - MOST_CHANGES} more changes: see them with --json`,
      ]

export const stateText = (state: CommandSnapshot | null): string => {
  if (state === null) return '  It had not been sent.'
  const { data, result, ...rest } = state
  return [
    indented(fields(Object.entries(rest))),
    `  data\n${indented(pretty(data), '    ')}`,
    ...(result === null ? [] : [`  result\n${indented(pretty(result), '    ')}`]),
  ].join('\n')
}

export const comparisonText = ({ from, to, diff }: Comparison<unknown>): string =>
  [
    `From ${from.moment} (revision ${from.revision ?? 'none'}) to ${to.moment} (revision ${to.revision ?? 'none'})`,
    ...(diff.length === 0 ? ['    nothing changed'] : changesText(diff)),
  ].join('\n')

export const changeText = ({ op, path, from, to }: Change): string => {
  const name = plain(path.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~')) || 'all of it'
  if (op === 'add') return `    ${name}: ${shown(to)}`
  if (op === 'remove') return `    ${name}: ${shown(from)} -> (none)`
  return `    ${name}: ${shown(from)} -> ${shown(to)}`
}

const LONGEST = 160

const shown = (value: unknown): string => {
  const text = value === null ? 'null' : plain(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text
}

export const indented = (text: string, by = '  '): string => text.replace(/^/gm, by)

/** `  +1.2 s`; nothing for the first event. */
const waitText = (ms: number | null): string => {
  if (ms === null) return ''
  const seconds = Math.abs(ms) / 1000
  const sign = ms < 0 ? '-' : '+'
  if (seconds < 1) return `  ${sign}${Math.abs(ms)} ms`
  if (seconds < 120) return `  ${sign}${Number(seconds.toFixed(1))} s`
  if (seconds < 7200) return `  ${sign}${Number((seconds / 60).toFixed(1))} min`
  return seconds < 172_800
    ? `  ${sign}${Number((seconds / 3600).toFixed(1))} h`
    : `  ${sign}${Number((seconds / 86_400).toFixed(1))} days`
}
