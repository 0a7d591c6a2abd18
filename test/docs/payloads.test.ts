import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { useProgram } from '../support/servers/cli.ts'

const program = useProgram()
const repository = join(import.meta.dirname, '../..')
const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  promisify(execFile)(process.execPath, args, { env: { PATH: process.env.PATH, ...env } })

test('K2: the page on payloads compiles, runs, and prints what it says', async () => {
  const page = await readFile(join(repository, 'docs', 'payloads.md'), 'utf8')
  const directory = join(program.directory, 'payloads')
  await mkdir(directory)
  const files = [...page.matchAll(/^```ts\n\/\/ (\w+\.ts)\n([\s\S]*?)^```/gm)]
  expect(files.map(([, name]) => name)).toEqual(['commands.ts', 'worker.ts', 'main.ts'])
  for (const [, name = '', text = ''] of files) await writeFile(join(directory, name), text)
  const config = {
    extends: join(repository, 'tsconfig.json'),
    compilerOptions: { noEmit: false, rootDir: '.', outDir: '.', paths: { commandbus: ['../dist/index.d.ts'] } },
    include: ['*.ts'],
  }
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
  expect(await run([tsc, '-p', directory])).toEqual({ stdout: '', stderr: '' })
  const database = await createTestDatabase()
  const printed = /^```text\n([\s\S]*?)^```/m.exec(page)?.[1]
  expect(await run([join(directory, 'main.js')], { DATABASE_URL: database.url })).toEqual({
    stdout: printed,
    stderr: '',
  })
  await database.drop()
})
