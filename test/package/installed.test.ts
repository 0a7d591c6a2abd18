import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  appAnswer,
  bareEsmApp,
  cjsApp,
  emptyProject,
  foreignPlace,
  type Packed,
  pack,
  run,
  runProgram,
  succeed,
  typedProgram,
} from './consumer.ts'

/** It downloads some hundred packages: `npm run test:package` sets the flag. */
const asked = process.env.COMMANDBUS_TEST_PACKAGE === '1'

const OLDEST_NODE = '20.19.0'
/** Before 5.7, the declarations of Node and of pg themselves are refused; what else there is, is shown with skipLibCheck. */
const typescripts: readonly (readonly [version: string, flags: readonly string[]])[] = [
  ['5.0.4', ['--skipLibCheck']],
  ['5.7.3', []],
  ['5.9.3', []],
  ['6', ['--ignoreConfig', '--ignoreDeprecations', '6.0']],
  ['7', ['--ignoreConfig']],
]
const tools = [
  'esbuild@0.28',
  'jest@30',
  ...typescripts.map(([version]) => `typescript-${version}@npm:typescript@${version}`),
]
const { satisfies } = createRequire(import.meta.url)('semver')

describe.skipIf(!asked)('R9: the package as npm installs it (skipped without COMMANDBUS_TEST_PACKAGE=1)', () => {
  let packed: Packed
  let project: string
  /** What the package itself brings. */
  let lock: string
  let database: TestDatabase

  beforeAll(async () => {
    packed = await pack()
    project = await emptyProject(packed)
    database = await createTestDatabase()
    await install(packed.tarball)
    lock = await readFile(join(project, 'package-lock.json'), 'utf8')
    await install(...tools)
  }, 400_000)
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

  test(`R9: brings no dependency that needs a newer Node than ${OLDEST_NODE}`, () => {
    const { packages } = JSON.parse(lock) as {
      packages: Readonly<Record<string, { readonly engines?: { readonly node?: string } }>>
    }
    const unfit = Object.entries(packages).filter(([, { engines }]) => !satisfies(OLDEST_NODE, engines?.node ?? '*'))
    expect(unfit).toEqual([])
  })

  test('R9: works when esbuild bundles it, to ESM and to CommonJS', async () => {
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
    expect(await bundle('app.mjs', bareEsmApp, 'app.mjs', ['--format=esm', banner])).toEqual(appAnswer)
    expect(await bundle('app.cjs', cjsApp, 'app.cjs', ['--format=cjs'])).toEqual(appAnswer)
    expect(await bundle('mixed.mjs', bareEsmApp, 'app.cjs', ['--format=cjs'])).toEqual(appAnswer)
    expect(await bundle('small.mjs', bareEsmApp, 'app.mjs', ['--format=esm', '--minify', banner])).toEqual(appAnswer)
    expect(await bundle('small.mjs', bareEsmApp, 'app.cjs', ['--format=cjs', '--minify'])).toEqual(appAnswer)
  })

  test.each(typescripts)(
    'R9: compiles with TypeScript %s %j',
    async (version, flags) => {
      const tsc = bin(`typescript-${version}`, 'bin/tsc')
      const program = await typedProgram()
      const cases: readonly (readonly [module: string, ...rest: string[]])[] = [
        ['nodenext', 'use.mts', 'use.cts'],
        ['node16', 'use.mts', 'use.cts'],
        ['esnext', 'use.ts', '--moduleResolution', 'bundler'],
        // which TypeScript 7 does not have any more
        ...(version === '7' ? [] : [['commonjs', 'use.ts', '--moduleResolution', 'node10'] as const]),
      ]
      for (const file of ['use.mts', 'use.cts', 'use.ts']) await put(file, program)
      for (const [module, ...rest] of cases) {
        const args = [...flags, '--module', module, ...rest, '--target', 'es2022', '--strict', '--noEmit']
        // only types that the program names: Jest brings its own types
        const { code, output } = await run(process.execPath, [tsc, ...args, '--types', 'node'], { cwd: project })
        expect({ module, code, output }).toEqual({ module, code: 0, output: '' })
      }
    },
    400_000,
  )

  test('R9: works in Jest by default, and with ES modules', async () => {
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
    expect(await jest('commonjs.test.js', [])).toMatchObject({
      code: 0,
      output: expect.stringContaining('CardDeclined'),
    })
    expect(await jest('module.test.mjs', ['--experimental-vm-modules'])).toMatchObject({ code: 0 })
  })
})
