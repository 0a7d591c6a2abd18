import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blocksOf } from '../docs/pages.ts'
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts'
import { addPackages, consumer, emptyProject, type Packed, pack, run, succeed } from './consumer.ts'

/** With it, npm installs the tarball from the registry; else its packages are links to those of this repository. */
const asked = process.env.COMMANDBUS_TEST_PACKAGE === '1'

describe('K8: a newcomer with an empty folder and README alone', () => {
  let packed: Packed
  let project: string
  let database: TestDatabase
  let first = ''
  let firstTest = ''

  beforeAll(async () => {
    packed = await pack()
    const text = await readFile(join(packed.directory, 'README.md'), 'utf8')
    const scripts = blocksOf({ path: 'README.md', text }).filter(
      ({ language }) => language === 'ts' || language === 'js',
    )
    ;[first = '', firstTest = ''] = scripts.map(({ code }) => code)
    expect(text).toMatch(/```sh\nnpm install commandbus /)
    if (asked) {
      project = await emptyProject(packed)
      await succeed('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', packed.tarball], project)
    } else project = await consumer(packed)
    database = await createEmptyDatabase()
  })
  afterAll(async () => {
    await database?.drop()
    await packed?.remove()
  })

  const write = (file: string, text: string) => writeFile(join(project, file), text)
  const node = (...args: readonly string[]) =>
    run(process.execPath, args, { cwd: project, env: { DATABASE_URL: database.url } })
  const handled = {
    code: 0,
    output: expect.stringMatching(/^SENT sender\nRECEIVED worker:\S+\nCOMPLETED worker:\S+\n$/),
  }

  test('K8: prepares the database by the line of README', async () => {
    const line = /`npx commandbus (migrate --install-pgmq)`/.exec(
      await readFile(join(packed.directory, 'README.md'), 'utf8'),
    )
    const program = join(project, 'node_modules', 'commandbus', 'dist', 'main.js')
    expect(await node(program, ...(line?.[1] ?? 'nothing').split(' '))).toMatchObject({ code: 0 })
  })

  test('K8: the first command is handled by an ES module', async () => {
    await write('first.mjs', first)
    expect(await node('first.mjs')).toEqual(handled)
  })

  test('K8: the first command is handled in CommonJS', async () => {
    const required = first.replaceAll(/^import (?:\* as )?(.+) from '(.+)'$/gm, "const $1 = require('$2')")
    await write('first.cjs', `const main = async () => {\n${required}\n}\nmain()\n`)
    expect(await node('first.cjs')).toEqual(handled)
  })

  test('K8: the first command is handled in TypeScript', async () => {
    await addPackages(project, ['typescript', '@typescript'])
    await write('first.mts', first)
    const settings = { module: 'nodenext', target: 'es2023', strict: true, types: ['node'], skipLibCheck: false }
    await write('tsconfig.json', JSON.stringify({ compilerOptions: settings, files: ['first.mts'] }))
    expect(await node(join('node_modules', 'typescript', 'bin', 'tsc'))).toEqual({ code: 0, output: '' })
    expect(await node('first.mjs')).toEqual(handled)
  })

  test('K8: the first test passes, and fails when the handler is wrong', async () => {
    await write('first.test.mjs', firstTest)
    expect(await node('--test', 'first.test.mjs')).toMatchObject({ code: 0, output: expect.stringMatching(/pass 1\n/) })
    await write('first.test.mjs', firstTest.replace('charged: amount', 'charged: 0'))
    expect(await node('--test', 'first.test.mjs')).toMatchObject({ code: 1, output: expect.stringMatching(/fail 1\n/) })
  })
})
