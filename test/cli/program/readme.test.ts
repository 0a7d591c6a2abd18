import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { collect, useProgram } from '../../support/servers/cli.ts'
import { eventually, startService } from '../../support/servers/service.ts'

const program = useProgram()
const repository = join(import.meta.dirname, '../../..')
const readme = await readFile(join(repository, 'README.md'), 'utf8')

const fenced = (text: string, language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(match => match[1] ?? '')

const part = (text: string, from: string, to: string): string => {
  const begin = text.indexOf(from)
  const end = text.indexOf(to, begin)
  if (begin < 0 || end < 0) throw new Error(`no part between ${from} and ${to}`)
  return text.slice(begin + from.length, end)
}

const runFile = async (command: string, args: readonly string[], env: NodeJS.ProcessEnv) => {
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    cwd: program.directory,
  })
  const output = collect(child)
  const [code] = await once(child, 'close')
  return { code, ...output }
}

describe('the README', () => {
  test('K8: walks through the demo as it is written', async () => {
    const lines = fenced(part(readme, '<!-- walk-through -->', '<!-- end of the walk-through -->'), 'sh').flatMap(
      block => block.trim().split('\n'),
    )
    // `npx commandbus` finds the program of this directory
    const bin = join(program.directory, 'bin')
    await mkdir(bin)
    await writeFile(join(bin, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${program.main}" "$@"\n`)
    await chmod(join(bin, 'npx'), 0o755)
    const env = { COMMANDBUS_HOME: await program.newHome() }
    const service = await startService(program, env)
    const shell = (line: string) => runFile('/bin/sh', ['-c', line], { ...env, PATH: `${bin}:${process.env.PATH}` })
    const shown: readonly (readonly [command: string, output: RegExp])[] = [
      ['send demo Greet', /^Sent Greet to demo: command 5f0c2a7e-0000-4000-8000-000000000001/],
      ['show', /Status +COMPLETED[\s\S]*"name": "Ada"/],
      ['send demo Charge', /^Sent Charge to demo/],
      ['tsq list', /5f0c2a7e-0000-4000-8000-000000000002 +demo +Charge +PERMANENT .*"amount":5/],
      ['tsq retry', /000000000002 is PENDING again/],
      ['show', /Status +COMPLETED[\s\S]*"amount": 5/],
      ['audit', /MOVED_TO_TROUBLESHOOTING_QUEUE[\s\S]*OPERATOR_RETRY +jane@example.com[\s\S]*COMPLETED/],
      ['replies read', /GreetResponse +SUCCESS[\s\S]*ChargeResponse +SUCCESS/],
    ]
    expect(lines.map(line => line.replace('npx commandbus ', ''))).toEqual(
      shown.map(([command]) => expect.stringMatching(new RegExp(`^${command}( |$)`))),
    )
    for (const [i, line] of lines.entries()) {
      const [command = '', output = /never/] = shown[i] ?? []
      const look = () => shell(line)
      // people read slower than a worker works
      const isLook = /^(show|tsq list|audit)/.test(command)
      const answer = isLook ? await eventually(look, ({ stdout }) => output.test(stdout)) : await look()
      expect(answer).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(output) })
    }
    // K8: the requests of docs/http.md, without the last, whose answer never ends
    const http = await readFile(join(repository, 'docs', 'http.md'), 'utf8')
    const [requests = ''] = fenced(part(http, '<!-- requests -->', '<!-- end of the requests -->'), 'sh')
    const curls = requests
      .replace(/^curl -N .*\n/m, '')
      .replaceAll('http://127.0.0.1:4000', service.url)
      .replaceAll('curl', 'curl -sf')
    expect(curls.match(/curl -sf/g)).toHaveLength(2)
    expect(await shell(curls)).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/"commandId":"[-\w]{36}"[\s\S]*\{"items":/),
    })
    service.signal('SIGTERM')
    expect(await service.ended).toBe(0)
  })

  test('K8: has an example of the library that compiles and runs', async () => {
    const [example = ''] = fenced(readme, 'ts')
    const directory = join(program.directory, 'example')
    await mkdir(directory)
    await writeFile(join(directory, 'example.ts'), example)
    const config = {
      extends: join(repository, 'tsconfig.json'),
      compilerOptions: { noEmit: false, rootDir: '.', outDir: '.', paths: { commandbus: ['../dist/index.d.ts'] } },
      include: ['example.ts'],
    }
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config))
    const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
    expect(await runFile(process.execPath, [tsc, '-p', directory], {})).toMatchObject({ code: 0, stdout: '' })
    const database = await createTestDatabase()
    const ran = await runFile(process.execPath, [join(directory, 'example.js')], { DATABASE_URL: database.url })
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(ran.stdout).toMatch(/^SENT sender\nRECEIVED worker:\S+\nCOMPLETED worker:\S+\n$/)
    await database.drop()
  })

  test('shows the diagram that is generated from the table of transitions', async () => {
    const lifecycle = await readFile(join(repository, 'docs', 'lifecycle.md'), 'utf8')
    const diagram = (page: string) => part(page, '<!-- generated: diagram -->', '<!-- end -->')
    expect(diagram(readme).trim()).toBe(diagram(lifecycle).trim())
  })
})

test('the payments example does what it says', async () => {
  const out = join(program.directory, 'payments')
  const config = {
    extends: join(repository, 'examples', 'payments', 'tsconfig.json'),
    compilerOptions: {
      rootDir: join(repository, 'examples', 'payments'),
      outDir: out,
      paths: { commandbus: ['./dist/index.d.ts'] },
    },
    include: [join(repository, 'examples', 'payments', '*.ts')],
  }
  const project = join(program.directory, 'tsconfig.payments.json')
  await writeFile(project, JSON.stringify(config))
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
  expect(await runFile(process.execPath, [tsc, '-p', project], {})).toMatchObject({ code: 0, stdout: '' })
  const database = await createTestDatabase()
  const ran = await runFile(process.execPath, [join(out, 'main.js')], { DATABASE_URL: database.url })
  expect(ran).toMatchObject({ code: 0, stderr: '' })
  expect(ran.stdout).toMatch(
    /SUCCESS { charged: 25 } \(1 payment\)[\s\S]*FAILED[\s\S]*LIMIT_EXCEEDED[\s\S]*\(0 payment\)/,
  )
  await database.drop()
})
