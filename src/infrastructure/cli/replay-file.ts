import { isLeft } from 'fp-ts/lib/Either.js'
import { commandIdOf } from '../../application/input.ts'
import { type CommandHistory, replayEvents } from '../../application/read-history.ts'
import type { CommandEvent } from '../../domain/command/events.ts'
import { parseCommandStream } from '../../domain/command/names.ts'
import type { Recorded } from '../../domain/recorded.ts'
import { commandCodec } from '../codec/command-codec.ts'
import { readConfig } from '../config.ts'
import type { EventLine } from '../proof/case-lines.ts'
import { signerIfAny } from '../proof/home.ts'
import { fingerprintOf } from '../proof/keys.ts'
import { type CaseReport, readCase } from '../proof/read-case.ts'
import type { CliDeps } from './deps.ts'
import { Refused } from './failure.ts'
import { fields, print, printJson } from './output.ts'
import { historyText } from './replay-text.ts'

interface FileOptions {
  readonly trust: readonly string[]
  readonly json?: true
}

/** `replay --from`: a file of `export` or `archive`, checked and shown without a database; exit 1 when it was altered. */
export const replayFile = async (
  deps: CliDeps,
  path: string,
  given: string | undefined,
  { trust, json }: FileOptions,
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
  const histories = [...streams].map(([stream, events]) => historyOf(stream, events))
  if (json) printJson({ ...report, isOwn, altered: report.faults.length > 0, commands: histories })
  else {
    for (const { stream, history, fault } of histories) {
      print(history === null ? `${stream}: ${fault}` : historyText(history))
      print('')
    }
    print(toldOf(report, isOwn))
  }
  if (report.faults.length > 0) throw new Refused('altered')
}

interface Told {
  readonly stream: string
  readonly history: CommandHistory | null
  /** Why it cannot be shown. */
  readonly fault: string | null
}

const historyOf = (stream: string, lines: readonly EventLine[]): Told => {
  const events: Recorded<CommandEvent>[] = []
  for (const { revision, id, type, data, meta } of lines) {
    const decoded = commandCodec.decode({ type, data: parsed(data), meta: parsed(meta) })
    if (isLeft(decoded))
      return { stream, history: null, fault: `event ${revision} cannot be read: ${decoded.left.join('; ')}` }
    events.push({ stream, revision, id, ...decoded.right })
  }
  if (parseCommandStream(stream) === null || events.some(({ revision }, i) => revision !== i)) {
    return { stream, history: null, fault: 'its events are not those of a whole command' }
  }
  return { stream, history: replayEvents(events), fault: null }
}

const parsed = (text: string): object => {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

const toldOf = (report: CaseReport, isOwn: boolean): string => {
  const { header, faults, signedBy, isTrusted } = report
  const whose =
    isTrusted === true
      ? ', which you trust'
      : isOwn
        ? ', the key of this home'
        : ': compare it with what its maker says'
  return [
    fields([
      ['File', `${header.kind} of log ${header.log}, made ${header.madeAt} by ${header.madeBy}`],
      ['Holds', `${report.events} events of ${report.streams} commands, ${report.messages} messages`],
      [
        'Hidden',
        report.redactedEvents === 0
          ? ''
          : `something in the data of ${report.redactedEvents} events: ${header.redacted?.rules.join('; ') ?? ''}`,
      ],
      ['Signed', signedBy === null ? 'not, or not rightly' : `${signedBy}${whose}`],
    ]),
    '',
    faults.length === 0
      ? 'The file is as it was signed, and its events are linked as they were recorded.'
      : `ALTERED:\n${faults.map(({ line, message }) => `  line ${line}: ${message}`).join('\n')}`,
  ].join('\n')
}
