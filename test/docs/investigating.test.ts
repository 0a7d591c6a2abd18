import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { collect, useProgram } from '../support/servers/cli.ts'
import { eventually } from '../support/servers/service.ts'

const program = useProgram()

/** What each command of the guide shows, in its order; the first words say which command it is. */
const shown: readonly (readonly [command: string, output: RegExp, code?: number])[] = [
  ['send demo PlaceOrder', /^Sent PlaceOrder/],
  ['send demo ChargeCard', /^Sent ChargeCard/],
  ['tsq groups', /1 +demo +ChargeCard +INVALID_AMOUNT .*25,00 is not a number/],
  ['tsq list', /000000000002 +demo +ChargeCard +PERMANENT .*"amount":"25,00"/],
  ['replay', /SENT +by[\s\S]*MOVED_TO_TROUBLESHOOTING_QUEUE +by worker:[\s\S]*lastErrorMsg: 25,00 is not a number/],
  [
    'replay --correlation',
    /^7ca5e000-\S+01 +demo +PlaceOrder[^\n]*COMPLETED[^\n]*\n {2}└ 7ca5e000-\S+02 +demo +ChargeCard/m,
  ],
  ['rehearse', /Outcome +PERMANENT\nWould be +IN_TROUBLESHOOTING_QUEUE\nError +INVALID_AMOUNT/, 1],
  ['rehearse', /Outcome +SUCCESS\nWould be +COMPLETED/],
  [
    'tsq retry',
    /would go from IN_TROUBLESHOOTING_QUEUE to PENDING[\s\S]*data.amount: 25,00 -> 25[\s\S]*Nothing was done/,
  ],
  ['tsq retry', /is PENDING again/],
  ['show', /Status +COMPLETED[\s\S]*"amount": 25$/m],
  ['replies read', /ChargeCardResponse +SUCCESS/],
  ['replay', /From 2 [\s\S]*data.amount: 25,00 -> 25/],
  ['replay', /"amount": "25,00"/],
  ['audit', /OPERATOR_RETRY +jane@example.com +diff=.*"25,00".*"\/amount"/],
  ['verify', /No problems found/],
]

test('the investigation goes as the guide says', async () => {
  const guide = await readFile(join(import.meta.dirname, '../../docs/investigating.md'), 'utf8')
  const story = guide.slice(guide.indexOf('<!-- story -->'), guide.indexOf('<!-- end of the story -->'))
  const lines = [...story.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(block => (block[1] ?? '').trim().split('\n'))
  expect(lines.map(line => line.replace('npx commandbus ', ''))).toEqual(
    shown.map(([command]) => expect.stringMatching(new RegExp(`^${command}( |$)`))),
  )
  // `npx commandbus` finds the program of this directory
  const bin = join(program.directory, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${program.main}" "$@"\n`)
  await chmod(join(bin, 'npx'), 0o755)
  const database = await createTestDatabase()
  const env = { DATABASE_URL: database.url, HOME: process.env.HOME ?? '', PATH: `${bin}:${process.env.PATH}` }
  program.launch(['worker', '--demo'], { env: { DATABASE_URL: database.url } })
  // the service has workers before anybody sends
  await eventually(
    async () => (await database.pool.query(`select from command_bus_worker where domain = 'demo'`)).rowCount,
    workers => workers === 1,
  )
  const shell = async (line: string) => {
    const child = spawn('/bin/sh', ['-c', line], { env, cwd: program.directory })
    const output = collect(child)
    const [code] = await once(child, 'close')
    return { code, ...output }
  }
  for (const [i, line] of lines.entries()) {
    const [command, output, code = 0] = shown[i] ?? ['', /never/]
    // people read slower than a worker works
    const waits = /^(tsq groups|show|replay --correlation)/.test(command)
    const answer = waits
      ? await eventually(
          () => shell(line),
          ({ stdout }) => output.test(stdout),
        )
      : await shell(line)
    expect(answer).toMatchObject({ code, stderr: '', stdout: expect.stringMatching(output) })
  }
  await database.drop()
})
