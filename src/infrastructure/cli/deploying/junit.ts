import { type FileHandle, open } from 'node:fs/promises'
import type {
  ChangedCommand,
  RehearsalReport,
  RehearsedCommand,
} from '../../../application/deploying/rehearsal-report.ts'
import { visible } from '../../../domain/visible-text.ts'
import { UsageError } from '../support/failure.ts'
import { changeLines } from './report-text.ts'

/** The longest text of a test case, in characters. */
const LONGEST = 8_000
/** So many test cases are written at a time. */
const CASES = 1_000

/** Opens a file for writing before the work begins, which may be long. @throws UsageError */
export const openFile = async (flag: string, path: string): Promise<FileHandle> => {
  try {
    return await open(path, 'w')
  } catch (error) {
    throw new UsageError(
      `${flag} names the file ${path}, which cannot be written (${(error as NodeJS.ErrnoException).code})`,
    )
  }
}

/** A test suite for each type, with a test case for each command: other results and new failures are failures. */
export const writeJUnit = async (
  file: FileHandle,
  commands: readonly RehearsedCommand[],
  { types, changed }: Pick<RehearsalReport, 'types' | 'changed'>,
): Promise<void> => {
  const details = new Map(changed.map(one => [keyOf(one), one]))
  try {
    await file.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="commandbus rehearse">\n')
    for (const { domain, commandType, why } of types) {
      const own = commands.filter(one => one.domain === domain && one.commandType === commandType)
      const failed = own.filter(isFailure).length
      const skipped = own.filter(({ verdict }) => verdict === null).length
      const name = `${domain}.${commandType}`
      await file.write(
        `  <testsuite name="${attribute(name)}" tests="${own.length}" failures="${failed}" errors="0" skipped="${skipped}" time="${seconds(own)}">\n`,
      )
      for (let i = 0; i < own.length; i += CASES) {
        await file.write(
          own
            .slice(i, i + CASES)
            .map(one => caseOf(one, name, why, details.get(keyOf(one))))
            .join(''),
        )
      }
      await file.write('  </testsuite>\n')
    }
    await file.write('</testsuites>\n')
  } finally {
    await file.close()
  }
}

const keyOf = ({ domain, commandId }: Pick<RehearsedCommand, 'domain' | 'commandId'>): string =>
  `${domain} ${commandId}`

const isFailure = ({ verdict }: RehearsedCommand): boolean => verdict === 'other-result' || verdict === 'newly-failing'

const seconds = (commands: readonly RehearsedCommand[]): string =>
  (commands.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000).toFixed(3)

const caseOf = (
  command: RehearsedCommand,
  suite: string,
  why: string | null,
  detail: ChangedCommand | undefined,
): string => {
  const head = `    <testcase classname="${attribute(suite)}" name="${attribute(command.commandId)}" time="${seconds([command])}"`
  if (command.verdict === null) return `${head}><skipped message="${attribute(why ?? 'not rehearsed')}"/></testcase>\n`
  const lines = detail === undefined ? [] : changeLines(detail)
  if (!isFailure(command)) {
    return command.verdict === 'same' || lines.length === 0
      ? `${head}/>\n`
      : `${head}><system-out>${content(['newly succeeding', ...lines].join('\n'))}</system-out></testcase>\n`
  }
  const verdict = command.verdict === 'newly-failing' ? 'newly failing' : 'other result'
  const message = [verdict, ...lines.slice(-1).map(line => line.trim())].join(': ')
  return `${head}><failure type="${command.verdict}" message="${attribute(message.slice(0, LONGEST))}">${content(lines.join('\n'))}</failure></testcase>\n`
}

/** XML has no way to write these, not even escaped: they are shown as in `\\u0007`. */
const UNWRITABLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const content = (text: string): string =>
  visible(text.slice(0, LONGEST))
    .replace(UNWRITABLE, char => `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`)
    .replace(/[&<>"]/g, char => ESCAPES[char] ?? char)

/** Line ends in an attribute would be read as spaces. */
const attribute = (text: string): string => content(text).replace(/[\t\n\r]/g, char => `&#${char.charCodeAt(0)};`)
