import type {
  ChangedCommand,
  ChangeGroup,
  RehearsalReport,
  TypeReport,
} from '../../../application/deploying/rehearsal-report.ts'
import type { Change } from '../../../domain/json/json-diff.ts'
import { type Column, counted, table, when } from '../text/output.ts'
import { changeText } from '../text/replay-text.ts'

/** The most changed commands that are shown; `--json` has up to a thousand. */
const MOST_SHOWN = 20
const MOST_DIFFERENCES = 5

interface Report extends RehearsalReport {
  readonly since: string
  /** How many there are, of which some were taken. */
  readonly of: number
}

export const reportText = (report: Report): string => {
  const { since, of, rehearsed, notRehearsed, types, groups, changed } = report
  if (rehearsed + notRehearsed === 0)
    return `No command of these handlers has ended since ${when(since)}, and none is parked. Nothing was rehearsed.`
  const part = of > rehearsed ? ` of ${of.toLocaleString('en-US')} (the newest of each type; --limit takes more)` : ''
  return [
    `Rehearsed ${counted(rehearsed, 'command')}${part}, sent since ${when(since)} or parked.`,
    table(types, typeColumns),
    ...notes(types),
    ...(groups.length === 0 ? [] : [table(groups, groupColumns)]),
    ...changed.slice(0, MOST_SHOWN).map(changedText),
    ...(changed.length > MOST_SHOWN ? [`and ${changed.length - MOST_SHOWN} more: see them with --json`] : []),
    ROLLED_BACK,
  ].join('\n\n')
}

const ROLLED_BACK =
  'Everything was rolled back: log, tables and queues are as they were. What a handler has done outside of its transaction, such as a call of another service, ' +
  'is not: leave it out while `context.rehearsal` is true, or export a function that makes handlers with doubles.'

const typeColumns: readonly Column<TypeReport>[] = [
  { title: 'DOMAIN', value: ({ domain }) => domain },
  { title: 'TYPE', value: ({ commandType }) => commandType },
  { title: 'SAME', value: ({ same }) => same },
  { title: 'OTHER RESULT', value: ({ otherResult }) => otherResult },
  { title: 'NEWLY FAILING', value: ({ newlyFailing }) => newlyFailing },
  { title: 'NEWLY SUCCEEDING', value: ({ newlySucceeding }) => newlySucceeding },
  { title: 'NOT REHEARSED', value: ({ notRehearsed }) => notRehearsed },
]

const notes = (types: readonly TypeReport[]): readonly string[] => {
  const skipped = types.filter(({ why }) => why !== null)
  if (skipped.length === 0) return []
  return [
    skipped
      .map(({ commandType, notRehearsed, why }) => `Not rehearsed: ${notRehearsed} of ${commandType}: ${why}.`)
      .join('\n'),
  ]
}

const words: Readonly<Record<ChangedCommand['verdict'], string>> = {
  'other-result': 'other result',
  'newly-failing': 'newly failing',
  'newly-succeeding': 'newly succeeding',
}

const groupColumns: readonly Column<ChangeGroup>[] = [
  { title: 'COMMANDS', value: ({ commands }) => commands },
  { title: 'DOMAIN', value: ({ domain }) => domain },
  { title: 'TYPE', value: ({ commandType }) => commandType },
  { title: 'CHANGE', value: ({ verdict }) => words[verdict] },
  { title: 'WHAT', value: ({ what }) => what },
  { title: 'FOR EXAMPLE', value: ({ commandId }) => commandId, spare: true },
]

const changedText = ({ verdict, domain, commandType, commandId, before, now, ...rest }: ChangedCommand): string =>
  [`${commandId} ${commandType} in ${domain}: ${words[verdict]}`, ...changeLines({ before, now, ...rest })].join('\n')

/** What has changed in one command, line by line. */
export const changeLines = ({
  before,
  now,
  differences,
  differencesOmitted = 0,
}: Pick<ChangedCommand, 'before' | 'now' | 'differences' | 'differencesOmitted'>): readonly string[] => {
  const more = differences.length - MOST_DIFFERENCES + differencesOmitted
  return [
    ...(before.outcome === 'SUCCESS' && now.outcome === 'SUCCESS'
      ? []
      : [`    before: ${endText(before)}`, `    now:    ${endText(now)}`]),
    ...(now.outcome === 'SUCCESS'
      ? differences.slice(0, MOST_DIFFERENCES).map(one => changeText(shownChange(one)))
      : []),
    ...(now.outcome === 'SUCCESS' && more > 0 ? [`    and ${more} more differences`] : []),
  ]
}

const endText = ({ outcome, code, message, frame }: ChangedCommand['now']): string => {
  if (outcome === 'SUCCESS') return 'SUCCESS'
  const place = frame === null ? '' : ` (${frame})`
  return `${outcome === code ? '' : `${outcome} `}${code}: ${message}${place}`
}

/** A value that was too large shows its beginning. */
const shownChange = (change: ChangedCommand['differences'][number]): Change => ({
  ...change,
  from: change.fromPreview === undefined ? change.from : `${change.fromPreview}…`,
  to: change.toPreview === undefined ? change.to : `${change.toPreview}…`,
})
