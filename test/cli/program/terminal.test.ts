import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { buildProgram } from '../../../src/infrastructure/cli/program.ts'
import { coloured } from '../../../src/infrastructure/cli/text/colour.ts'
import { examples } from '../../../src/infrastructure/cli/text/examples.ts'
import { ago, type Column, table, timeColumn } from '../../../src/infrastructure/cli/text/output.ts'
import { createTestBus } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

const commandLine = (): Command =>
  buildProgram({
    createBus: () => expect.unreachable(),
    version: '1',
    program: '',
    beforeCrash: () => {},
    env: {},
  }).configureOutput({ writeErr: () => {} })

interface Row {
  readonly id: string
  readonly at: string
  readonly code: string
  readonly text: string
}

const rows: readonly Row[] = [
  {
    id: 'a'.repeat(36),
    at: new Date(Date.now() - 7_205_000).toISOString(),
    code: 'UPSTREAM_503_TIMEOUT',
    text: 'x'.repeat(60),
  },
]
const columns: readonly Column<Row>[] = [
  { title: 'ID', value: row => row.id },
  { title: 'DOMAIN', value: () => 'payments', spare: true },
  timeColumn('SINCE', row => row.at),
  { title: 'CODE', value: row => row.code },
  { title: 'REASON', value: () => 'ATTEMPTS_EXHAUSTED', spare: true },
  { title: 'TEXT', value: row => row.text, flexible: true },
]

describe('a table on a terminal', () => {
  const titles = (width: number): readonly string[] => (table(rows, columns, width).split('\n')[0] ?? '').split(/\s+/)

  test('gives up width in this order: cut texts, ages for times, spare columns from the last, and only then the table', () => {
    expect(titles(160)).toEqual(['ID', 'DOMAIN', 'SINCE', 'CODE', 'REASON', 'TEXT'])
    expect(table(rows, columns, 160)).toMatch(/\d\d:\d\d:\d\dZ/)
    expect(table(rows, columns, 125)).toMatch(/ 2 h ago .* ATTEMPTS_EXHAUSTED /)
    expect(titles(110)).toEqual(['ID', 'DOMAIN', 'SINCE', 'CODE', 'TEXT'])
    expect(titles(90)).toEqual(['ID', 'SINCE', 'CODE', 'TEXT'])
    expect(table(rows, columns, 60)).toMatch(/^ID {6}a{36}\nDOMAIN {2}payments\n/)
  })

  test('never cuts what has to be copied, and fits', () => {
    for (const width of [90, 100, 120, 160]) {
      const lines = table(rows, columns, width).split('\n')
      expect(lines.join()).toContain('UPSTREAM_503_TIMEOUT')
      expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(width)
    }
  })

  test('says ages in one unit', () => {
    const now = Date.parse('2026-01-31T12:00:00Z')
    const at = (seconds: number): string => ago(new Date(now + seconds * 1000).toISOString(), now)
    expect([at(-5), at(-90), at(-7_200), at(-200_000), at(600), ago(null, now)]).toEqual([
      '5 s ago',
      '1 min ago',
      '2 h ago',
      '2 d ago',
      'in 10 min',
      '',
    ])
  })

  test('has colours for the words of a status on a terminal only', () => {
    const stream = Object.assign(Object.create(process.stdout), { isTTY: false })
    expect(coloured('FAILED as FAILED_BEFORE', stream)).toBe('FAILED as FAILED_BEFORE')
  })
})

test.each(Object.entries(examples))('the examples of %s are command lines that are understood', async (path, lines) => {
  for (const line of lines) {
    const one = commandLine()
    const calls: string[] = []
    const replace = (command: Command, name: string): void => {
      if (command.commands.length === 0) command.action(() => void calls.push(name))
      for (const inner of command.commands) replace(inner, `${name} ${inner.name()}`.trim())
    }
    replace(one, '')
    const words: readonly string[] = line.match(/'[^']*'|"[^"]*"|\S+/g) ?? []
    const args = words.filter((_, i) => words.indexOf('>>') < 0 || i < words.indexOf('>>'))
    await one.parseAsync(
      args.map(word => word.replace(/^['"]|['"]$/g, '')),
      { from: 'user' },
    )
    expect(calls).toEqual([path])
  }
})

describe('completion', () => {
  test('completes commands, their commands and their flags in bash', async () => {
    const { stdout, code } = await program.run(['completion', 'bash'])
    expect(code).toBe(0)
    const complete = (...words: readonly string[]): readonly string[] =>
      execFileSync('bash', [
        '-c',
        `${stdout}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _commandbus; echo "\${COMPREPLY[*]}"`,
        'bash',
        'commandbus',
        ...words,
      ])
        .toString()
        .trim()
        .split(' ')
    expect(complete('do')).toEqual(['doctor'])
    expect(complete('tsq', 're')).toEqual(['retry'])
    expect(complete('send', 'payments', 'ChargeCard', '--reply')).toEqual(['--reply-to'])
    expect(complete('tsq', 'retry', '--domain', 'payments', '--can')).toEqual(['--canary'])
  })

  test('refuses a shell that it does not know', async () => {
    const answer = await program.run(['completion', 'tcsh'])
    expect(answer).toMatchObject({ code: 2, stdout: '' })
    expect(answer.stderr).toMatch(/Allowed choices are bash, zsh, fish/)
  })
})

test.each([[['list']], [['tsq', 'list', '--json']], [['send', 'payments', 'ChargeCard']], [['verify']], [['doctor']]])(
  '%j in a directory without a database says so, and makes nothing',
  async args => {
    const home = await program.newHome()
    const answer = await program.run(args, { env: { COMMANDBUS_HOME: home } })
    expect(answer).toMatchObject({ code: 1, stdout: '' })
    expect(answer.stderr).toContain(`there is no database in ${home}: set DATABASE_URL or COMMANDBUS_HOME`)
    expect(existsSync(join(home))).toBe(false)
  },
)

test('lists show their pages one by one, or all of them; a parked command has the time since when', async () => {
  const t = await createTestBus()
  const env = { DATABASE_URL: t.database.url }
  for (let n = 0; n < 3; n++) await parked(t, 'orders', { n })
  for (const list of [['list'], ['tsq', 'list']]) {
    const some = (await program.run([...list, '--limit', '2', '--json'], { env })).json()
    expect([some.items.length, some.nextCursor !== null]).toEqual([2, true])
    const all = (await program.run([...list, '--limit', '2', '--all', '--json'], { env })).json()
    expect([new Set(all.items.map(({ commandId }) => commandId)).size, all.nextCursor]).toEqual([3, null])
  }
  expect((await program.run(['tsq', 'list'], { env })).stdout).toMatch(/PARKED.*\n.* \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ /)
})
