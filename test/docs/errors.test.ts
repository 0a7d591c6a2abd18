import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CommanderError } from 'commander'
import { describe, expect, test } from 'vitest'
import { statusOfProblem } from '../../src/contract/route.ts'
import * as library from '../../src/index.ts'
import { failureOf, UsageError } from '../../src/infrastructure/cli/support/failure.ts'
import { ConfigError } from '../../src/infrastructure/settings/config.ts'
import { repository } from './pages.ts'

const page = await readFile(join(repository, 'docs', 'errors.md'), 'utf8')
const ofCommands = page.slice(page.indexOf('## Of commands'))

interface Row {
  readonly code: string
  readonly classes: readonly string[]
  readonly http: string
  readonly exit: string
}

const names = (cell: string): readonly string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)

/** The rows of the first three tables; a row without a code has that of the row above. */
const rows = page
  .slice(0, page.indexOf('## Of commands'))
  .split(/^## /m)
  .flatMap(part => {
    const [head = [], , ...body] = part.split('\n').flatMap(line => {
      const cells = line.startsWith('|')
        ? line
            .split('|')
            .slice(1, -1)
            .map(cell => cell.trim())
        : undefined
      return cells === undefined ? [] : [cells]
    })
    const cell = (cells: readonly string[], title: string) => cells[head.indexOf(title)] ?? ''
    let above = ''
    return body.map((cells): Row => {
      above = names(cell(cells, 'code'))[0] ?? above
      return { code: above, classes: names(cell(cells, 'class')), http: cell(cells, 'HTTP'), exit: cell(cells, 'exit') }
    })
  })

const sources = async (): Promise<readonly (readonly [path: string, text: string])[]> => {
  const paths = await readdir(join(repository, 'src'), { recursive: true })
  return Promise.all(
    paths
      .filter(path => path.endsWith('.ts'))
      .map(async path => [path, await readFile(join(repository, 'src', path), 'utf8')] as const),
  )
}
const isDemo = (path: string): boolean => path.startsWith('infrastructure/demo/')
/** Reasons of an error, not its code. */
const reasons = ['COMPLETED', 'CANCELLED', 'NOTHING_TO_RETRY', 'MAX_RETRY_COUNT', 'DAMAGED']

/** The codes that errors are made with: the first argument of an error, of `super` in its class, or of `failure`. */
const codesOf = (text: string): readonly string[] =>
  [...text.matchAll(/(?:new \w*(?:Error|Refused)\(|super\()\s*'([A-Z][A-Z_]+)',/g)].map(([, code = '']) => code)

const known = (await sources()).filter(([path]) => !isDemo(path))
const codes = new Set(known.flatMap(([, text]) => codesOf(text)).filter(code => !reasons.includes(code)))

const EMBEDDED = 'EMBEDDED_'
const [, embeddedText = ''] =
  /type EmbeddedServerErrorCode =([^;]*?)\n\n/.exec(known.map(([, text]) => text).join('\n')) ?? []
const embedded = [...embeddedText.matchAll(/'(\w+)'/g)].map(([, code = '']) => code)

describe('docs/errors.md', () => {
  test('K8: has every error class that the library exports, with its code', async () => {
    const classes = Object.entries(library).flatMap(([name, value]) =>
      typeof value === 'function' &&
      name !== 'CommandBusError' &&
      Function.prototype[Symbol.hasInstance].call(library.CommandBusError, value.prototype)
        ? [name]
        : [],
    )
    expect(classes.length).toBeGreaterThan(30)
    expect(rows.flatMap(row => row.classes).sort()).toEqual(classes.sort())
    const text = known.map(([, source]) => source).join('\n')
    for (const { code, classes: named } of rows)
      for (const name of named) {
        const [, body = ''] = new RegExp(`class ${name} extends \\w+ \\{([\\s\\S]*?)\\n\\}`).exec(text) ?? []
        expect([name, ...codesOf(body)]).toEqual([name, code])
      }
    for (const name of ['TransientCommandError', 'PermanentCommandError', 'BusinessRuleError'])
      expect(page).toContain(`\`${name}\``)
  })

  test('K8: has every code that an error of the source is made with, and no other', () => {
    const written = new Set(names(page))
    expect(
      [...codes, ...Object.keys(statusOfProblem)].filter(code => !written.has(code) && !written.has(EMBEDDED + code)),
    ).toEqual([])
    const text = known.map(([, source]) => source).join('\n')
    const ofAttempts = [...ofCommands.matchAll(/^\| `(\w+)`/gm)].map(([, code = '']) => code)
    const listed = [...new Set([...rows.map(({ code }) => code), ...ofAttempts])]
    const bare = (code: string) => code.replace(EMBEDDED, '')
    expect(listed.length).toBeGreaterThan(80)
    expect(listed.map(bare).filter(code => !text.includes(`'${code}'`))).toEqual([])
    expect(embedded.length).toBeGreaterThan(5)
    expect(embedded.map(code => EMBEDDED + code).filter(code => !written.has(code))).toEqual([])
  })

  test('K8: says the status that the HTTP API answers with, and the exit code of the program', () => {
    const said = (code: string) => [...new Set(rows.filter(row => row.code === code).map(({ http }) => http))]
    for (const [code, status] of Object.entries(statusOfProblem))
      expect([code, ...said(code)]).toEqual([code, String(status)])
    const two = [
      new library.InvalidInputError('limit', 'must be a number'),
      new library.InvalidPayloadError([]),
      new UsageError('unknown option'),
      new ConfigError('PORT must be a number'),
      new CommanderError(1, 'commander.unknownOption', 'error: unknown option'),
    ].map(failureOf)
    expect(two.map(({ exitCode }) => exitCode)).toEqual([2, 2, 2, 2, 2])
    const withTwo = rows.filter(({ exit }) => exit === '2').map(({ code }) => code)
    expect([...new Set(withTwo)].sort()).toEqual([...new Set(two.map(({ code }) => code))].sort())
    expect(failureOf(new library.OperationNotFoundError())).toMatchObject({ exitCode: 1, code: 'OPERATION_NOT_FOUND' })
  })
})
