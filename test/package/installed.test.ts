import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  appAnswer,
  cjsApp,
  emptyProject,
  esmApp,
  foreignPlace,
  type Packed,
  pack,
  run,
  runProgram,
  succeed,
  typedProgram,
} from './consumer.ts'

/** It downloads some hundred packages: `.ci/run` sets the flag. */
const asked = process.env.COMMANDBUS_TEST_PACKAGE === '1'

const OLDEST_NODE = '20.19.0'
const typescripts = ['5.0.4', '5.4.5', '5.8.3', '5.9.3']
const { satisfies } = createRequire(import.meta.url)('semver')

describe.skipIf(!asked)('R9: the package from npm (COMMANDBUS_TEST_PACKAGE=1)', () => {
  let packed: Packed
  let project: string
  let database: TestDatabase

  beforeAll(async () => {
    packed = await pack()
    project = await emptyProject(packed)
    database = await createTestDatabase()
    await install(packed.tarball)
  })
  afterAll(async () => {
    await database?.drop()
    await packed?.remove()
  })

  const install = (...packages: readonly string[]) =>
    succeed('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], project)
  const bin = (name: string, file: string) => join(project, 'node_modules', name, file)
  const put = async (name: string, text: string): Promise<string> => {
    await writeFile(join(project, name), text)
    return join(project, name)
  }

  test(`R9: brings nothing that Node ${OLDEST_NODE} does not suit`, async () => {
    const { packages } = JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8')) as {
      packages: Readonly<Record<string, { readonly engines?: { readonly node?: string } }>>
    }
    const unfit = Object.entries(packages).filter(([, { engines }]) => !satisfies(OLDEST_NODE, engines?.node ?? '*'))
    expect(unfit).toEqual([])
  })

  test('R9: works when esbuild bundles it, to ESM and to CommonJS', async () => {
    await install('esbuild@0.28')
    const bundle = async (source: string, text: string, target: string, flags: readonly string[]) => {
      const file = join(await foreignPlace(packed), target)
      const input = await put(source, text)
      const { output } = await run(
        process.execPath,
        [bin('esbuild', 'bin/esbuild'), input, '--bundle', '--platform=node', `--outfile=${file}`, ...flags],
        { cwd: project },
      )
      expect(output).not.toMatch(/WARNING|ERROR/)
      return runProgram(file, { DATABASE_URL: database.url })
    }
    const banner = `--banner:js=import { createRequire as r } from 'node:module';const require = r(import.meta.url);`
    const bare = esmApp.replace(/^.*createRequire.*$/gm, '')
    expect(await bundle('app.mjs', bare, 'app.mjs', ['--format=esm', banner])).toEqual(appAnswer)
    expect(await bundle('app.cjs', cjsApp, 'app.cjs', ['--format=cjs'])).toEqual(appAnswer)
    expect(await bundle('mixed.mjs', bare, 'app.cjs', ['--format=cjs'])).toEqual(appAnswer)
    expect(await bundle('small.mjs', bare, 'app.cjs', ['--format=cjs', '--minify'])).toEqual(appAnswer)
  })

  test.each(typescripts)('R9: is typed for TypeScript %s without skipLibCheck', async version => {
    await install(`typescript-${version}@npm:typescript@${version}`)
    const tsc = bin(`typescript-${version}`, 'bin/tsc')
    const program = await typedProgram()
    // from CommonJS, nodenext takes an ES module since 5.8, as Node does
    const fromCommonJs = Number(version.split('.')[1]) >= 8
    const cases: readonly (readonly [module: string, resolution: string, file: string])[] = [
      ['nodenext', 'nodenext', 'use.mts'],
      ...(fromCommonJs ? [['nodenext', 'nodenext', 'use.cts'] as const] : []),
      ['esnext', 'bundler', 'use.ts'],
      ['commonjs', 'node10', 'use.ts'],
    ]
    for (const [module, resolution, file] of cases) {
      await put(file, program)
      const args = ['--module', module, '--moduleResolution', resolution, '--target', 'es2022', '--strict', '--noEmit']
      const { code, output } = await run(process.execPath, [tsc, ...args, file], { cwd: project })
      expect({ resolution, file, code, output }).toEqual({ resolution, file, code: 0, output: '' })
    }
  })

  test('R9: works in Jest as it comes, and with its ES modules', async () => {
    await install('jest@30')
    await put(
      'commonjs.test.js',
      `${cjsApp.replace('main().catch', "test('works', () => main()); (async () => {})().catch")}`,
    )
    await put(
      'module.test.mjs',
      `import { BusinessRuleError, createCommandBus } from 'commandbus'
       test('works', async () => {
         const bus = createCommandBus({ databaseUrl: process.env.DATABASE_URL })
         await bus.ready()
         await bus.close()
         expect(new BusinessRuleError('A', 'b')).toBeInstanceOf(Error)
       })`,
    )
    const jest = async (file: string, flags: readonly string[], env: NodeJS.ProcessEnv = {}) => {
      const args = [...flags, bin('jest', 'bin/jest.js'), '--testMatch', `**/${file}`]
      return run(process.execPath, args, { cwd: project, env: { DATABASE_URL: database.url, ...env } })
    }
    expect(await jest('commonjs.test.js', [])).toMatchObject({ code: 0, output: expect.stringContaining('COMPLETED') })
    expect(await jest('module.test.mjs', ['--experimental-vm-modules'])).toMatchObject({ code: 0 })
  })
})
