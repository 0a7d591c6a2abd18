import { namesOf } from '../../../src/domain/command/audit-names.ts'
import type { CommandEvent, CommandEventType } from '../../../src/domain/command/events.ts'
import { terminalStatuses, transitions } from '../../../src/domain/command/transitions.ts'
import { type Effect, outbox } from '../../../src/projections/outbox.ts'
import {
  at,
  completed,
  error,
  exhausted,
  operatorCanceled,
  operatorCompleted,
  recorded,
  rejectedByRule,
  sent,
} from './command-life.ts'

const steps = Object.entries(transitions) as [CommandEventType, (typeof transitions)[CommandEventType]][]

const diagram = (): string =>
  [
    '```mermaid',
    'stateDiagram-v2',
    ...steps.flatMap(([event, { from, to }]) =>
      from.map(status => `  ${status === 'NONE' ? '[*]' : status} --> ${to}: ${event}`),
    ),
    ...terminalStatuses.map(status => `  ${status} --> [*]`),
    '```',
  ].join('\n')

const forGood = exhausted(1, { error: error('PERMANENT') })

const exceptions: Partial<Record<CommandEventType, string>> = {
  CommandExhausted: `; ${namesOf(forGood).join(', ')} where the failure was permanent`,
}

const table = (): string =>
  [
    '| event | from | to | in the audit |',
    '|---|---|---|---|',
    ...steps.map(([event, { from, to }]) => {
      const before = from.map(status => (status === 'NONE' ? '(new)' : status)).join(', ')
      return `| ${event} | ${before} | ${to} | ${transitions[event].audit.join(', ')}${exceptions[event] ?? ''} |`
    }),
  ].join('\n')

const bodyOf = (event: CommandEvent, kind: 'enqueue' | 'reply'): string => {
  const effects: readonly Effect[] = recorded([event]).flatMap(outbox({ onSuccess: 'delete' }))
  const [body] = effects.flatMap(effect => (effect.kind === kind && 'body' in effect ? [effect.body] : []))
  return ['```json', JSON.stringify(body, null, 2), '```'].join('\n')
}

const later = at(2)
const noFunds = error('BUSINESS_RULE', { code: 'NO_FUNDS', message: 'the account is empty', details: { missing: 5 } })

/** The parts of the page that come from the code, by the name in their markers. */
const parts: Readonly<Record<string, () => string>> = {
  diagram,
  table,
  message: () => bodyOf(sent(), 'enqueue'),
  'reply-success': () => bodyOf(completed(1, { at: later }), 'reply'),
  'reply-failed': () => bodyOf(rejectedByRule(1, { at: later, error: noFunds }), 'reply'),
  'reply-canceled': () => bodyOf(operatorCanceled({ at: later }), 'reply'),
  'reply-completed': () => bodyOf(operatorCompleted({ at: later }), 'reply'),
}

/** The page with every part between `<!-- generated: name -->` and `<!-- end -->` as the code has it now. */
export const withGenerated = (page: string): string =>
  Object.entries(parts).reduce((text, [name, make]) => {
    const start = `<!-- generated: ${name} -->\n`
    const from = text.indexOf(start)
    const to = text.indexOf('<!-- end -->', from)
    if (from < 0 || to < 0) throw new Error(`the page has no part '${name}' between its markers`)
    return `${text.slice(0, from)}${start}\n${make()}\n\n${text.slice(to)}`
  }, page)
