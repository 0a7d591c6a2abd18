import { existsSync } from 'node:fs'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  addPackages,
  appAnswer,
  bareEsmApp,
  cjsApp,
  consumer,
  esmApp,
  foreignPlace,
  loadedBy,
  modulesIn,
  type Packed,
  pack,
  repository,
  run,
  runProgram,
  typedProgram,
} from './consumer.ts'

let packed: Packed
let project: string
let database: TestDatabase

beforeAll(async () => {
  packed = await pack()
  project = await consumer(packed)
  database = await createTestDatabase()
})
afterAll(async () => {
  await database?.drop()
  await packed?.remove()
})

const runApp = (file: string) => runProgram(file, { DATABASE_URL: database.url })

const filesOf = async (folder: string): Promise<readonly string[]> => {
  const names = await readdir(folder, { recursive: true })
  const all = await Promise.all(names.map(async name => ((await stat(join(folder, name))).isFile() ? [name] : [])))
  return all.flat()
}

describe('R9: the tarball', () => {
  test('R9: every source map that a file names exists, and every source of a map', async () => {
    const files = await filesOf(packed.directory)
    expect(files.filter(file => file.endsWith('.map'))).toEqual([])
    const scripts = files.filter(file => /\.(c?js|ts)$/.test(file))
    const texts = await Promise.all(scripts.map(file => readFile(join(packed.directory, file), 'utf8')))
    expect(scripts.filter((_, i) => /^\/\/# sourceMappingURL=/m.test(texts[i] ?? ''))).toEqual([])
  })

  test('R9: each relative link of a page leads to a file of the package', async () => {
    const pages = (await filesOf(packed.directory)).filter(file => file.endsWith('.md'))
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/production.md']))
    const dead = await Promise.all(
      pages.map(async page => {
        const text = await readFile(join(packed.directory, page), 'utf8')
        const links = [...text.matchAll(/\]\((?!\w+:)([^)#\s]+)/g)].flatMap(([, link]) => link ?? [])
        return links.filter(link => !existsSync(join(packed.directory, dirname(page), link))).map(link => [page, link])
      }),
    )
    expect(dead.flat()).toEqual([])
  })

  test('R9: every package that the public types use is a dependency', async () => {
    const { dependencies } = JSON.parse(await readFile(join(packed.directory, 'package.json'), 'utf8'))
    const seen = new Map<string, string>()
    const packages = new Set<string>()
    const follow = async (file: string): Promise<void> => {
      if (seen.has(file)) return
      seen.set(file, await readFile(file, 'utf8'))
      for (const [, name = ''] of (seen.get(file) ?? '').matchAll(/(?:from\s+|import\(\s*)['"]([^'"]+)['"]/g)) {
        if (name.startsWith('.')) await follow(join(dirname(file), name).replace(/(\.d)?\.[jt]s$/, '.d.ts'))
        else packages.add(name.replace(/^((?:@[^/]+\/)?[^/]+).*$/, '$1'))
      }
    }
    await follow(join(packed.directory, 'dist', 'index.d.ts'))
    expect(seen.size).toBeGreaterThan(50)
    expect([...packages].sort()).toEqual(['fp-ts', 'io-ts', 'pg'])
    expect(Object.keys(dependencies)).toEqual(
      expect.arrayContaining(['fp-ts', 'io-ts', 'pg', '@types/pg', '@types/node']),
    )
  })
})

describe('R9: a program', () => {
  test.each([
    ['imports it', 'app.mjs', esmApp],
    ['requires it', 'app.cjs', cjsApp],
    ['requires the CommonJS version', 'jest.cjs', cjsApp.replace("'commandbus'", 'COMMONJS')],
  ])('R9: that %s sends and handles commands', async (_, name, text) => {
    const file = join(project, name)
    const cjs = join(project, 'node_modules', 'commandbus', 'dist', 'commonjs', 'index.js')
    await writeFile(file, text.replace('COMMONJS', JSON.stringify(cjs)))
    expect(await runApp(file)).toEqual(appAnswer)
  })

  test.each([
    [
      'imports',
      'kit.mjs',
      `import { testBus } from 'commandbus/testing'; import { PermanentCommandError } from 'commandbus'`,
    ],
    ['requires', 'kit.cjs', `const { testBus } = require(KIT); const { PermanentCommandError } = require(COMMONJS)`],
  ])('K1: that %s the kit tests a handler, without fast-check', async (_, name, header) => {
    const cjs = join(project, 'node_modules', 'commandbus', 'dist', 'commonjs')
    const file = join(project, name)
    const imports = header
      .replace('KIT', JSON.stringify(join(cjs, 'testing', 'index.js')))
      .replace('COMMONJS', JSON.stringify(join(cjs, 'index.js')))
    await writeFile(
      file,
      `${imports}
       const refuse = () => { throw new PermanentCommandError('NO_CARD', 'the card is unknown') }
       const main = async () => {
         const bus = testBus({ handlers: { payments: { Charge: () => 'charged', Refuse: refuse } } })
         const { data } = await bus.request('payments', 'Charge', {})
         const { commandId } = await bus.send('payments', 'Refuse', {})
         await bus.runUntilIdle()
         bus.expect(commandId).toBeParked('NO_CARD')
         console.log(JSON.stringify(data))
       }
       main()`,
    )
    expect(await runApp(file)).toBe('charged')
  })

  test('K1: that imports the kit alone loads neither pg nor fast-check', async () => {
    const file = join(project, 'kit-alone.mjs')
    await writeFile(
      file,
      `import { testBus } from 'commandbus/testing'; await testBus().runUntilIdle(); console.log(1)`,
    )
    const scripts = await loadedBy(file, {})
    const modules = await modulesIn(scripts)
    expect(modules.filter(module => module.startsWith('testing/')).length).toBeGreaterThan(5)
    expect(scripts.filter(url => /node_modules\/(pg|pg-pool|fast-check)\//.test(url))).toEqual([])
  })

  test('R9: that imports and requires it has one copy', async () => {
    const file = join(project, 'both.cjs')
    await writeFile(
      file,
      `import('commandbus').then(m => console.log(m.CommandBusError === require('commandbus').CommandBusError))`,
    )
    expect(await runApp(file)).toBe(true)
  })

  test('R9: with two copies can give both the same pool, client and handlers', async () => {
    const file = join(project, 'two.mjs')
    const cjs = join(project, 'node_modules', 'commandbus', 'dist', 'commonjs', 'index.js')
    await writeFile(
      file,
      `import { createRequire } from 'node:module'
       import { setTimeout as delay } from 'node:timers/promises'
       import * as one from 'commandbus'
       import pg from 'pg'
       const two = createRequire(import.meta.url)(${JSON.stringify(cjs)})
       const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
       const [sends, works] = [one.createCommandBus({ pool }), two.createCommandBus({ pool })]
       const handle = async (_, { client }) => {
         await sends.send('two', 'Second', {}, { client })
         throw new one.BusinessRuleError('LIMIT_EXCEEDED', 'the card has a limit')
       }
       const second = async () => { throw new one.PermanentCommandError('NO_CARD', 'the card is unknown') }
       const handlers = { First: one.defineHandler({ transactional: true, handle }), Second: second }
       await works.worker({ domain: 'two', handlers }).start()
       const client = await pool.connect()
       await client.query('begin')
       const first = await sends.send('two', 'First', {}, { client })
       const direct = await works.send('two', 'Second', {}, { client })
       await client.query('commit')
       client.release()
       const codes = []
       for (const { commandId } of [first, direct]) {
         let seen
         while ((seen = await works.getCommand('two', commandId)).lastErrorCode === null) await delay(20)
         codes.push(seen.lastErrorCode)
       }
       const missing = await works.cancel('two', '00000000-0000-4000-8000-000000000000').catch(error => error)
       await Promise.all([sends.close(), works.close()])
       await pool.end()
       console.log(JSON.stringify([...codes, missing instanceof one.CommandNotFoundError, one.CommandBusError === two.CommandBusError]))`,
    )
    expect(await runApp(file)).toEqual(['LIMIT_EXCEEDED', 'NO_CARD', true, false])
  })

  test('R9, K3: loads no more than it needs: no server, console, client of EventStoreDB, telemetry or program', async () => {
    const file = join(project, 'lean.mjs')
    await writeFile(file, esmApp)
    const scripts = await loadedBy(file, { DATABASE_URL: database.url })
    const ofPackages = scripts.flatMap(url => url.split('/node_modules/').at(-1) ?? [])
    const { dependencies } = JSON.parse(await readFile(join(packed.directory, 'package.json'), 'utf8'))
    const loaded = Object.keys(dependencies).filter(name => ofPackages.some(path => path.startsWith(`${name}/`)))
    expect(loaded).toEqual(['pg'])
    const modules = await modulesIn(scripts)
    const rooms = modules.flatMap(module => /^infrastructure\/([\w-]+)\//.exec(module)?.[1] ?? [])
    expect(rooms).toContain('worker')
    for (const room of ['cli', 'http', 'telemetry', 'demo', 'copy-log', 'proof']) expect(rooms).not.toContain(room)
    expect(modules.filter(module => /postgres\/embedded\/|eventstoredb\/store\//.test(module))).toEqual([])
  })

  const bundle = async (format: 'es' | 'cjs', name: string, text: string, external: readonly string[] = []) => {
    const input = join(project, `${format}-${name}`)
    await writeFile(input, text)
    const place = await foreignPlace(packed)
    const warnings: string[] = []
    const file = join(place, format === 'es' ? 'app.mjs' : 'app.cjs')
    await build({
      configFile: false,
      root: project,
      logLevel: 'silent',
      ssr: { noExternal: true, external: [...external] },
      build: {
        ssr: true,
        target: 'node20',
        outDir: place,
        emptyOutDir: false,
        minify: name.startsWith('small'),
        rolldownOptions: {
          input,
          output: { format, entryFileNames: basename(file), codeSplitting: false },
          onwarn: ({ message }) => warnings.push(message),
        },
      },
    })
    expect(warnings.filter(text => /commandbus\/dist/.test(text))).toEqual([])
    return file
  }

  // what Rolldown (Vite) bundles here, esbuild bundles in installed.test.ts
  test.each([
    ['ESM', 'es', 'app.mjs', esmApp],
    ['CommonJS', 'cjs', 'app.cjs', cjsApp],
    ['CommonJS from ES modules', 'cjs', 'mixed.mjs', bareEsmApp],
    ['CommonJS, minified', 'cjs', 'small.mjs', bareEsmApp],
  ] as const)(
    'R9: bundled to %s sends and handles commands, and its errors keep their codes',
    async (_, format, name, text) => {
      expect(await runApp(await bundle(format, name, text))).toEqual(appAnswer)
    },
  )

  test('R9: bundled without the client of EventStoreDB says what a log there needs', async () => {
    const file = await bundle(
      'cjs',
      'without-client.mjs',
      `import { createCommandBus } from 'commandbus'
       const bus = createCommandBus({
         databaseUrl: process.env.DATABASE_URL, eventStoreUrl: 'esdb://127.0.0.1:1?tls=false',
       })
       bus.ready().then(() => bus.send('bundled', 'Charge', {})).catch(({ code, message }) =>
         bus.close().then(() => console.log(JSON.stringify({ code, message }))))`,
      ['@eventstore/db-client'],
    )
    const empty = await createTestDatabase()
    const said = await runProgram(file, { DATABASE_URL: empty.url }).finally(() => empty.drop())
    expect(said).toEqual({
      code: 'PACKAGE_MISSING',
      message: 'a log in EventStoreDB needs a package that is not installed: run `npm install @eventstore/db-client@6`',
    })
  })

  test('K3: the CommonJS version says the same', async () => {
    const cjs = join(project, 'node_modules', 'commandbus', 'dist', 'commonjs', 'index.js')
    await writeFile(
      join(project, 'without-client.cjs'),
      `const { createCommandBus } = require(${JSON.stringify(cjs)})
       createCommandBus({ databaseUrl: process.env.DATABASE_URL, eventStoreUrl: 'esdb://127.0.0.1:1?tls=false' })
         .ready().catch(({ code }) => { console.log(JSON.stringify(code)); process.exit() })`,
    )
    const empty = await createTestDatabase()
    const said = await runProgram(join(project, 'without-client.cjs'), { DATABASE_URL: empty.url }).finally(() =>
      empty.drop(),
    )
    expect(said).toBe('PACKAGE_MISSING')
  })

  test('R9: the program commandbus says that it cannot be bundled', async () => {
    const main = join(project, 'node_modules', 'commandbus', 'dist', 'main.js')
    const { peerDependencies } = JSON.parse(await readFile(join(packed.directory, 'package.json'), 'utf8'))
    await addPackages(project, Object.keys(peerDependencies))
    const file = await bundle('es', 'program.mjs', `import ${JSON.stringify(main)}`)
    const said = 'commandbus: this program cannot be bundled: run it from its package, with `npx commandbus`\n'
    expect(await run(process.execPath, [file, 'migrate'], { cwd: dirname(file) })).toEqual({ code: 1, output: said })
  })
})

describe('R9: TypeScript without skipLibCheck and without types of pg of its own', () => {
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')

  test.each([
    ['nodenext', ['use.mts', 'use.cts']],
    ['node16', ['use.mts', 'use.cts']],
    ['esnext', ['use.ts']],
  ])('R9: accepts a program (--module %s)', async (module, names) => {
    const metrics = `import { type Prometheus, prometheus } from 'commandbus/telemetry'
      export const metrics: Promise<Prometheus> = prometheus({ processMetrics: true })`
    for (const name of names) await writeFile(join(project, name), `${await typedProgram()}\n${metrics}\n`)
    const resolution = module === 'esnext' ? ['--moduleResolution', 'bundler'] : []
    const args = ['--module', module, ...resolution, '--target', 'es2022', '--types', 'node']
    const { code, output } = await run(
      process.execPath,
      [tsc, '--ignoreConfig', '--noEmit', '--strict', ...args, ...names],
      {
        cwd: project,
      },
    )
    expect({ code, output }).toEqual({ code: 0, output: '' })
  })
})
