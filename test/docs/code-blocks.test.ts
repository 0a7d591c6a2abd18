import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { useProgram } from '../support/servers/cli.ts'
import { fragmentGlobals } from './fragment-globals.ts'
import { type Block, blocksOf, readPages, repository } from './pages.ts'

const program = useProgram()
const blocks = (await readPages()).flatMap(blocksOf)
const scripts = blocks.filter(({ language }) => language === 'ts' || language === 'js')

/** `move.ts` of a block that begins with the comment `// move.ts`: where the page shows what they print, such blocks are one program. */
const fileOf = ({ code }: Block): string | undefined => /^\/\/ (\w+\.ts)\n/.exec(code)?.[1]
const says = (page: string) => blocks.find(block => block.page === page && block.language === 'text')
const isOfProgram = (block: Block): boolean => fileOf(block) !== undefined && says(block.page) !== undefined
const inFiles = scripts.filter(isOfProgram)
const programs = [...new Set(inFiles.map(({ page }) => page))].map(
  page => [page, inFiles.filter(block => block.page === page)] as const,
)

const run = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  promisify(execFile)(process.execPath, args, { env: { PATH: process.env.PATH, ...env } }).catch(error => error)

/** Writes the files and compiles them against the package as users have it. */
const compile = async (
  name: string,
  files: readonly (readonly [file: string, text: string])[],
  options: object = {},
) => {
  const directory = join(program.directory, name)
  await mkdir(directory)
  for (const [file, text] of files) await writeFile(join(directory, file), text)
  const paths = { commandbus: ['../dist/index.d.ts'], 'commandbus/*': ['../dist/*.d.ts', '../dist/*/index.d.ts'] }
  const config = {
    extends: join(repository, 'tsconfig.json'),
    compilerOptions: { noEmit: false, rootDir: '.', outDir: '.', paths, ...options },
    include: ['*.ts'],
  }
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
  const { stdout, stderr } = await run([tsc, '-p', directory])
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' })
  return directory
}

describe('code blocks of the pages', () => {
  test.each(programs)(
    'K2, K8: the program of %s compiles, runs, and prints what the page says',
    async (page, files) => {
      const directory = await compile(
        page.replaceAll(/\W/g, '-'),
        files.map(block => [fileOf(block) ?? '', block.code]),
      )
      const main = fileOf(files.at(-1) as Block) ?? ''
      const said = says(page)
      const database = await createTestDatabase()
      const { stdout, stderr } = await run([join(directory, main.replace('.ts', '.js'))], {
        DATABASE_URL: database.url,
      })
      expect({ stdout, stderr }).toEqual({ stdout: said?.code, stderr: '' })
      await database.drop()
    },
  )

  test('K8: every other block of TypeScript compiles, with what its page takes for granted', async () => {
    const others = scripts.filter(block => !isOfProgram(block))
    expect(others.length).toBeGreaterThan(15)
    const file = ({ at }: Block) => `${at.replaceAll(/\W/g, '_')}.ts`
    await compile(
      'fragments',
      [['globals.d.ts', fragmentGlobals], ...others.map(block => [file(block), `${block.code}\nexport {}\n`] as const)],
      { noUnusedLocals: false, noUnusedParameters: false, isolatedModules: false },
    )
  })

  test('K8: every block of JSON can be parsed', () => {
    const json = blocks.filter(({ language }) => language === 'json')
    expect(json.length).toBeGreaterThan(4)
    for (const { at, code } of json) expect(() => JSON.parse(code), at).not.toThrow()
  })
})
