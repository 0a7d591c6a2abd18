import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
const id = '7e0b7c1e-59f4-4bd0-9f3c-00000000dead'
const rounded = '{"lines":[{"id":9007199254740993}]}'
const sentence =
  /: lines\[0\]\.id is past 9007199254740991 \(2\^53 - 1\), where numbers are rounded: send it as a text\n$/

describe('R8: JSON whose numbers would be rounded is refused before a connection is made', () => {
  const nowhere = { env: { DATABASE_URL: 'postgres://u:topsecret@127.0.0.1:1/none' } }
  const cases: readonly (readonly string[])[] = [
    ['send', 'payments', 'Charge', '--data'],
    ['tsq', 'retry', id, '--operator', 'jane', '--data'],
    ['tsq', 'complete', id, '--operator', 'jane', '--reason', 'x', '--result'],
    ['rehearse', id, '--data'],
    ['operations', 'start', 'x', '--data'],
    ['runs', 'start', '--template', id, '--files'],
  ]

  test.each(cases)('%s %s', async (...args) => {
    const answer = await program.run([...args, rounded], nowhere)
    expect(answer).toMatchObject({ code: 2, stdout: '' })
    expect(answer.stderr).toMatch(sentence)
  })

  test('also from a file and from standard input', async () => {
    const file = join(program.directory, 'rounded.json')
    await writeFile(file, rounded)
    for (const [data, input] of [
      [`@${file}`, ''],
      ['-', rounded],
    ] as const) {
      const answer = await program.run(['send', 'payments', 'Charge', '--data', data], { ...nowhere, input })
      expect(answer).toMatchObject({ code: 2, stdout: '' })
      expect(answer.stderr).toMatch(sentence)
    }
  })

  test('a file that is not UTF-8 is refused, too', async () => {
    const file = join(program.directory, 'latin-1.json')
    await writeFile(file, Buffer.from('"caf\xe9"', 'latin1'))
    const answer = await program.run(['send', 'payments', 'Charge', '--data', `@${file}`], nowhere)
    expect(answer).toMatchObject({ code: 2, stderr: 'commandbus: --data: is not valid UTF-8\n' })
  })
})

test('R8: a member called __proto__ is treated like any other when it is sent, edited and handled', async () => {
  const t = await createTestBus()
  const { bus, database, work, until } = t
  const env = { DATABASE_URL: database.url }
  const json = '{"__proto__":{"a":1},"constructor":{"prototype":{}}}'
  const sent = await program.run(['send', 'payments', 'Charge', '--data', json, '--id', id], { env })
  expect(sent).toMatchObject({ code: 0 })
  const commandId = await parked(t, 'orders', {})
  const edited = await program.run(['tsq', 'retry', commandId, '--operator', 'jane', '--data', json], { env })
  expect(edited).toMatchObject({ code: 0, stderr: '' })
  for (const [domain, command] of [
    ['payments', id],
    ['orders', commandId],
  ] as const) {
    await work({ domain, handlers: { '*': data => data } })
    const done = await until(
      () => bus.getCommand(domain, command),
      found => found?.status === 'COMPLETED',
    )
    expect([JSON.stringify(done?.data), JSON.stringify(done?.result)].map(text => text.length)).toEqual([
      json.length,
      json.length,
    ])
    expect(done?.result).toEqual(JSON.parse(json))
  }
})
