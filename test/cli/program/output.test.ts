import { describe, expect, test } from 'vitest'
import { failureOf, oneSentence } from '../../../src/infrastructure/cli/support/failure.ts'
import { actionPlanText } from '../../../src/infrastructure/cli/text/dry-run-text.ts'
import { type Column, counted, fields, plain, table } from '../../../src/infrastructure/cli/text/output.ts'
import { readConfig } from '../../../src/infrastructure/settings/config.ts'

interface Row {
  readonly id: string
  readonly text: string
}

const id = '0123456789'
const columns: readonly Column<Row>[] = [
  { title: 'ID', value: row => row.id },
  { title: 'TEXT', value: row => row.text, flexible: true },
  { title: 'NEVER', value: () => null },
]

describe('a table', () => {
  test('aligns its columns and leaves out those without a value', () => {
    expect(
      table(
        [
          { id, text: 'a' },
          { id: 'b', text: 'longer' },
        ],
        columns,
        80,
      ),
    ).toBe(['ID          TEXT', '0123456789  a', 'b           longer'].join('\n'))
  })

  test('cuts only the columns that may be cut, to fit the terminal', () => {
    const lines = table([{ id, text: 'x'.repeat(100) }], columns, 30).split('\n')
    expect(lines[1]).toBe(`${id}  ${'x'.repeat(17)}…`)
  })

  test('becomes blocks when the columns that may not be cut do not fit', () => {
    expect(table([{ id, text: 'x'.repeat(100) }], columns, 15)).toBe(`ID    ${id}\nTEXT  ${'x'.repeat(100)}`)
    expect(table([{ id, text: 'x'.repeat(300) }], columns, 15)).toBe(`ID    ${id}\nTEXT  ${'x'.repeat(199)}…`)
  })

  test('escapes characters that a terminal would execute or hide', () => {
    expect(plain('a\u001b[31mred\u001b[0m\nb\u0007\u202e')).toBe('a\\u001B[31mred\\u001B[0m b\\u0007\\u202E')
    expect(
      fields([
        ['Name', 'a\nb'],
        ['Empty', null],
      ]),
    ).toBe('Name  a b')
  })
})

test('an error is one line without connection strings, keys and tokens', () => {
  const said = oneSentence('no\n  postgres://jane:pw@db/x and sk-abcdef123456 and Bearer abc.def')
  expect(said).toBe('no postgres://(hidden) and (hidden) and Bearer (hidden)')
})

test('a placeholder in the form of a connection string is not masked', () => {
  const refused = () => readConfig({ DATABASE_URL: 'topsecret' })
  expect(refused).toThrow(/postgres:\/\/host:5432\/database/)
  try {
    refused()
  } catch (error) {
    expect(failureOf(error).message).toBe((error as Error).message)
  }
})

test('counts have a singular and a plural', () => {
  expect([counted(1, 'file'), counted(2, 'file'), counted(0, 'reply', 'replies')]).toEqual([
    '1 file',
    '2 files',
    '0 replies',
  ])
})

test('a dry run of many commands says that it shows only some of them', () => {
  const plan = {
    domain: 'demo',
    from: 'IN_TROUBLESHOOTING_QUEUE',
    to: 'PENDING',
    events: [],
    diff: [],
    messages: [],
  } as const
  const samples = [{ ...plan, commandId: id, replies: [] }]
  const many = {
    action: 'retry',
    decided: 300,
    blocked: 0,
    messages: [],
    replies: [],
    blockedSamples: [],
    planToken: 'x',
  } as const
  expect(actionPlanText({ ...many, total: 300, would: 300, samples })).toContain('1 of these 300:\nCOMMAND')
  expect(actionPlanText({ ...many, total: 1, would: 1, samples })).not.toContain('of these')
})
