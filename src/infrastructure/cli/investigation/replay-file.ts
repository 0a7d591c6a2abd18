import { isLeft } from 'fp-ts/lib/Either.js'
import { type CommandHistory, replayEvents } from '../../../application/investigation/read-history.ts'
import { type RunHistory, replayRun } from '../../../application/runs/read-run-history.ts'
import { commandIdOf } from '../../../application/shared/input.ts'
import type { BusEvent } from '../../../domain/bus-event.ts'
import type { CommandEvent } from '../../../domain/command/events.ts'
import { parseCommandStream } from '../../../domain/command/names.ts'
import type { CreditsEvent, Split } from '../../../domain/credits/events.ts'
import { parseCreditsStream } from '../../../domain/credits/names.ts'
import type { Recorded } from '../../../domain/recorded.ts'
import type { RunEvent } from '../../../domain/workflow-run/events.ts'
import { parseRunStream } from '../../../domain/workflow-run/names.ts'
import { busCodec } from '../../codec/workflow-codec.ts'
import type { EventLine } from '../../proof/case/case-lines.ts'
import { type CaseReport, readCase } from '../../proof/case/read-case.ts'
import { fingerprintOf } from '../../proof/chain/keys.ts'
import { readConfig } from '../../settings/config.ts'
import { signerIfAny } from '../../settings/proof-home.ts'
import type { CliDeps } from '../support/deps.ts'
import { Refused } from '../support/failure.ts'
import { type Column, fields, print, printJson, table, timeColumn } from '../text/output.ts'
import { historyText } from '../text/replay-text.ts'
import { runHistoryText } from './runs-replay.ts'

interface FileOptions {
  readonly trust?: readonly string[]
  readonly json?: true
}

/** `replay --from`: a file of `export` or `archive`, checked and shown without a database; exit 1 when it was altered. */
export const replayFile = async (
  deps: CliDeps,
  path: string,
  given: string | undefined,
  { trust = [], json }: FileOptions,
): Promise<void> => {
  const id = given === undefined ? undefined : commandIdOf(given)
  const streams = new Map<string, EventLine[]>()
  const report = await readCase(path, {
    trusted: trust,
    onEvent: event => {
      if (id !== undefined && !event.stream.endsWith(id)) return
      streams.set(event.stream, [...(streams.get(event.stream) ?? []), event])
    },
  })
  const own = await signerIfAny(readConfig(deps.env)).catch(() => null)
  const isOwn = own !== null && report.signedBy === fingerprintOf(own.key)
  const found = [...streams].map(([stream, events]) => ({ ...read(stream, events), stream }))
  const { commands, runs, credits } = await sortedOut(found)
  if (json) printJson({ ...report, isOwn, altered: report.faults.length > 0, commands, runs, credits })
  else {
    for (const { stream, history, fault } of runs) {
      print(`${history === null ? `${stream}: ${fault}` : runHistoryText(history)}\n`)
    }
    for (const { stream, entries, fault } of credits) {
      print(`${entries === null ? `${stream}: ${fault}` : `${stream}\n${table(entries, entryColumns)}`}\n`)
    }
    for (const { stream, history, fault } of commands) {
      print(`${history === null ? `${stream}: ${fault}` : historyText(history)}\n`)
    }
    print(reportText(report, isOwn))
  }
  if (report.faults.length > 0) throw new Refused('altered')
}

interface Read {
  readonly events: readonly Recorded<BusEvent>[]
  /** Why they cannot be shown. */
  readonly fault: string | null
}

const read = (stream: string, lines: readonly EventLine[]): Read => {
  const events: Recorded<BusEvent>[] = []
  for (const { revision, id, type, data, meta } of lines) {
    const decoded = busCodec.decode({ type, data: parsed(data), meta: parsed(meta) })
    if (isLeft(decoded)) return { events, fault: `event ${revision} cannot be read: ${decoded.left.join('; ')}` }
    events.push({ stream, revision, id, ...decoded.right })
  }
  const isExcerpt = parseCreditsStream(stream) !== null
  if (!isExcerpt && events.some(({ revision }, i) => revision !== i)) {
    return { events, fault: 'some of its events are missing' }
  }
  return { events, fault: null }
}

type ReadStream = Read & { readonly stream: string }

/** The streams of a file, by kind; null where one cannot be shown. */
const sortedOut = async (found: readonly ReadStream[]) => {
  const runs: { stream: string; history: RunHistory | null; fault: string | null }[] = []
  const credits: { stream: string; entries: readonly Entry[] | null; fault: string | null }[] = []
  const commands: { stream: string; history: CommandHistory | null; fault: string | null }[] = []
  for (const { stream, events, fault } of found) {
    const runId = parseRunStream(stream)
    if (runId !== null) {
      const history = fault === null ? await replayRun(runId, events as readonly Recorded<RunEvent>[]) : null
      runs.push({ stream, history, fault })
    } else if (parseCreditsStream(stream) !== null) {
      credits.push({
        stream,
        entries: fault === null ? entriesOf(events as readonly Recorded<CreditsEvent>[]) : null,
        fault,
      })
    } else if (parseCommandStream(stream) === null) {
      commands.push({ stream, history: null, fault: fault ?? 'its events are not those of a command' })
    } else {
      const history = fault === null ? replayEvents(events as readonly Recorded<CommandEvent>[]) : null
      commands.push({ stream, history, fault })
    }
  }
  return { runs, credits, commands }
}

/** An entry of a ledger, as its event has it. */
type Entry = CreditsEvent & { readonly revision: number }

const entriesOf = (events: readonly Recorded<CreditsEvent>[]): readonly Entry[] =>
  events.map(({ revision, event }) => ({ ...event, revision }))

const splitText = ({ monthly, purchased }: Pick<Split, 'monthly' | 'purchased'>): string =>
  `${monthly} monthly, ${purchased} purchased`

const amountOf = (entry: Entry): string => {
  switch (entry.type) {
    case 'CreditsGranted':
      return `${entry.amount} ${entry.pool}`
    case 'CreditsCharged':
      return splitText(entry.taken)
    case 'CreditsRefunded':
      return splitText(entry.returned)
  }
}

const entryColumns: readonly Column<Entry>[] = [
  { title: 'ENTRY', value: entry => String(entry.revision) },
  timeColumn('WHEN', entry => entry.at),
  { title: 'WHAT', value: entry => entry.type },
  { title: 'CREDITS', value: amountOf },
  { title: 'BY', value: entry => entry.actor },
  { title: 'LEFT', value: entry => splitText(entry.left) },
  { title: 'WHY', value: entry => ('reason' in entry ? entry.reason : ''), flexible: true },
]

const parsed = (text: string): object => {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

const reportText = (report: CaseReport, isOwn: boolean): string => {
  const { header, faults, signedBy, isTrusted } = report
  const whose =
    isTrusted === true
      ? ', which you trust'
      : isOwn
        ? ', the key of this home'
        : ': compare it with the key that its maker names'
  return [
    fields([
      ['File', `${header.kind} of log ${header.log}, made ${header.madeAt} by ${header.madeBy}`],
      ['Contains', `${report.events} events of ${report.streams} streams, ${report.messages} messages`],
      [
        'Hidden',
        report.redactedEvents === 0
          ? ''
          : `something in the data of ${report.redactedEvents} events: ${header.redacted?.rules.join('; ') ?? ''}`,
      ],
      ['Signed', signedBy === null ? 'not, or not validly' : `${signedBy}${whose}`],
    ]),
    '',
    faults.length === 0
      ? 'The file is as it was signed, and its events are linked as they were recorded.'
      : `ALTERED:\n${faults.map(({ line, message }) => `  line ${line}: ${message}`).join('\n')}`,
  ].join('\n')
}
