import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { collect, useProgram } from '../support/servers/cli.ts'

const program = useProgram()
const repository = join(import.meta.dirname, '../..')
const examples = join(repository, 'examples')

const node = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const child = spawn(process.execPath, args, { env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } })
  const output = collect(child)
  const [code] = await once(child, 'close')
  return { code, ...output }
}

test('B1, B2, B3: the example compiles, says that its server is a mock, recovers, fails, and is retried', async () => {
  const project = join(program.directory, 'tsconfig.ai.json')
  const config = {
    extends: join(examples, 'ai-operations', 'tsconfig.json'),
    compilerOptions: {
      rootDir: examples,
      outDir: join(program.directory, 'examples'),
      paths: { commandbus: ['./dist/index.d.ts'] },
    },
    include: [join(examples, 'ai-operations', '*.ts')],
  }
  await writeFile(project, JSON.stringify(config))
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
  expect(await node([tsc, '-p', project])).toMatchObject({ code: 0, stdout: '' })
  const database = await createTestDatabase()
  const main = join(program.directory, 'examples', 'ai-operations', 'main.js')
  const ran = await node([main], { DATABASE_URL: database.url })
  expect(ran.code).toBe(0)
  // one line for the one failure, for the person who runs it
  expect(ran.stderr.trim().split('\n')).toEqual([
    expect.stringMatching(
      /^\[the command failed for good\] .*"commandType":"feedback_analysis".*"code":"PAYMENT_REQUIRED"/,
    ),
  ])
  const lines = ran.stdout.split('\n')
  expect(lines[0]).toBe('No AI_BASE_URL is set: a small mock server answers here, and no model.')
  expect(lines.filter(line => line.includes('tried again'))).toHaveLength(2)
  expect(lines.filter(line => /^\w+: /.test(line))).toEqual([
    expect.stringMatching(/^question_generation: completed /),
    expect.stringMatching(/^feedback_analysis: failed The account at the AI service .* What to do: /),
    expect.stringMatching(/^feedback_analysis: completed /),
  ])
  expect(ran.stdout).toContain('Ada clicks Retry\n')
  await database.drop()
})
