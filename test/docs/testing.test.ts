import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transform } from '@swc/core'
import * as fastCheck from 'fast-check'
import * as vitest from 'vitest'
import * as commandbus from '../../src/index.ts'
import * as arbitraries from '../../src/testing/arbitraries/index.ts'
import * as testing from '../../src/testing/index.ts'
import * as ports from '../../src/testing/ports/index.ts'

const modules: Readonly<Record<string, object>> = {
  vitest,
  commandbus,
  'fast-check': fastCheck,
  'commandbus/testing': testing,
  'commandbus/testing/arbitraries': arbitraries,
  'commandbus/testing/ports': ports,
}

const repository = join(import.meta.dirname, '../..')
const page = await readFile(join(repository, 'docs/testing.md'), 'utf8')

/** Each block of TypeScript is a module, whose tests are declared here. */
const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code ?? '')

vitest.describe('K1: the examples of docs/testing.md', async () => {
  vitest.test('are there, and fit the public types', async () => {
    vitest.expect(blocks.length).toBeGreaterThan(5)
    const place = await mkdtemp(join(tmpdir(), 'commandbus-docs-'))
    await symlink(join(repository, 'node_modules'), join(place, 'node_modules'))
    await writeFile(join(place, 'package.json'), '{ "type": "module" }')
    const files = await Promise.all(
      blocks.map(async (block, i) => {
        await writeFile(join(place, `block-${i}.ts`), block)
        return `block-${i}.ts`
      }),
    )
    const dist = join(vitest.inject('compiledPackage'), 'dist')
    const paths = {
      commandbus: [join(dist, 'index.d.ts')],
      'commandbus/testing': [join(dist, 'testing/index.d.ts')],
      'commandbus/testing/*': [join(dist, 'testing/*/index.d.ts')],
    }
    const compilerOptions = { rootDir: '/', paths, noUnusedLocals: false }
    const config = { extends: join(repository, 'tsconfig.json'), compilerOptions, files, include: [] }
    await writeFile(join(place, 'tsconfig.json'), JSON.stringify(config))
    const said = await promisify(execFile)(process.execPath, [
      join(repository, 'node_modules/typescript/bin/tsc'),
      '-p',
      place,
    ])
      .then(() => '')
      .catch((error: { readonly stdout: string }) => error.stdout)
    await rm(place, { recursive: true })
    vitest.expect(said).toBe('')
  })
  for (const block of blocks) {
    const { code } = await transform(block, {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
    })
    new Function('require', 'exports', code)((name: string) => modules[name], {})
  }
})
