import { existsSync } from 'node:fs'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  appAnswer,
  cjsApp,
  consumer,
  esmApp,
  foreignPlace,
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

describe('R9: what is in the tarball', () => {
  test('R9: no file refers to a source map, and no map to a source, that is not there', async () => {
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

  test('R9: whatever the public types name is a dependency', async () => {
    const { dependencies } = JSON.parse(await readFile(join(packed.directory, 'package.json'), 'utf8'))
    const seen = new Map<string, string>()
    const packages = new Set<string>()
    const follow = async (file: string): Promise<void> => {
      if (seen.has(file)) return
      seen.set(file, await readFile(file, 'utf8'))
      for (const [, name = ''] of (seen.get(file) ?? '').matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)) {
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
    ['requires the CommonJS version', 'jest.cjs', cjsApp.replace("'commandbus'", "'commandbus/../dist/index.cjs'")],
  ])('R9: that %s sends and works', async (_, name, text) => {
    const file = join(project, name)
    const cjs = join(project, 'node_modules', 'commandbus', 'dist', 'index.cjs')
    await writeFile(file, text.replace("'commandbus/../dist/index.cjs'", JSON.stringify(cjs)))
    expect(await runApp(file)).toEqual(appAnswer)
  })

  test('R9: that imports and requires it has one copy', async () => {
    const file = join(project, 'both.cjs')
    await writeFile(
      file,
      `import('commandbus').then(m => console.log(m.CommandBusError === require('commandbus').CommandBusError))`,
    )
    expect(await runApp(file)).toBe(true)
  })

  // what Rolldown (Vite) bundles here, esbuild bundles in installed.test.ts
  test.each([
    ['ESM', 'es', 'app.mjs', esmApp],
    ['CommonJS', 'cjs', 'app.cjs', cjsApp],
    ['CommonJS from ES modules', 'cjs', 'app.cjs', esmApp.replace(/^.*createRequire.*$/gm, '')],
  ] as const)('R9: that was bundled to %s sends and works', async (_, format, name, text) => {
    const input = join(project, `bundle-${format}-${text.length}.${text.startsWith('const') ? 'cjs' : 'mjs'}`)
    await writeFile(input, text)
    const place = await foreignPlace(packed)
    const warnings: string[] = []
    await build({
      configFile: false,
      root: project,
      logLevel: 'silent',
      ssr: { noExternal: true },
      build: {
        ssr: true,
        target: 'node20',
        outDir: place,
        emptyOutDir: false,
        rolldownOptions: {
          input,
          output: { format, entryFileNames: name, codeSplitting: false },
          onwarn: ({ message }) => warnings.push(message),
        },
      },
    })
    expect(warnings.filter(text => /commandbus\/dist/.test(text))).toEqual([])
    expect(await runApp(join(place, name))).toEqual(appAnswer)
  })
})

describe('R9: TypeScript without skipLibCheck and without types of pg of its own', () => {
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')

  test.each([
    ['nodenext', 'nodenext', 'use.mts'],
    ['nodenext, from CommonJS', 'nodenext', 'use.cts'],
    ['bundler', 'esnext', 'use.ts'],
  ])('R9: accepts a program (%s)', async (_, module, name) => {
    await writeFile(join(project, name), await typedProgram())
    const resolution = module === 'nodenext' ? 'nodenext' : 'bundler'
    const args = ['--module', module, '--moduleResolution', resolution, '--target', 'es2022', '--types', 'node']
    const { code, output } = await run(
      process.execPath,
      [tsc, '--ignoreConfig', '--noEmit', '--strict', ...args, name],
      {
        cwd: project,
      },
    )
    expect({ code, output }).toEqual({ code: 0, output: '' })
  })
})
