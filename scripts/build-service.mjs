// Makes the JavaScript of dist/ from src/: few files instead of one for each module, which a process loads in half of the time.
// Declarations come from the compiler (`npm run build:service`). pgmq's files are copied with the licence of the package that
// they come in: it also brings PostgreSQL in WebAssembly (26 MB), which nothing here needs. uuid goes into dist/: its 20 files took
// a tenth of the time that the library takes to load, and there is no CommonJS version of it.
//   node scripts/build-service.mjs [--modules] [<package directory>]
// --modules: makes modules/ too, with one file for each of src/, for tests and the benchmark, which import them one by one
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'vite'

const repository = fileURLToPath(new URL('../', import.meta.url))
const source = join(repository, 'src')

const { values, positionals } = parseArgs({ options: { modules: { type: 'boolean' } }, allowPositionals: true })
const root = resolve(positionals[0] ?? repository)
const dist = join(root, 'dist')

const compile = (target, entries, output, noExternal = []) =>
  build({
    configFile: false,
    logLevel: 'warn',
    root: repository,
    ssr: { noExternal },
    build: {
      ssr: true,
      target: 'node20',
      minify: false,
      outDir: target,
      emptyOutDir: false,
      rolldownOptions: {
        input: Object.fromEntries(entries.map(entry => [entry, join(source, `${entry}.ts`)])),
        output: { format: 'esm', entryFileNames: '[name].js', ...output },
      },
    },
  })

const entries = ['main', 'index', 'telemetry', 'testing/index', 'testing/arbitraries/index', 'testing/ports/index']
rmSync(join(dist, 'shared'), { recursive: true, force: true })
const uuid = join(repository, 'node_modules', 'uuid')
const licence = `/*! Contains uuid.\n\n${readFileSync(join(uuid, 'LICENSE.md'), 'utf8').trim()}\n*/`
const banner = ({ moduleIds }) => (moduleIds.some(id => id.startsWith(uuid)) ? licence : '')
await compile(dist, entries, { chunkFileNames: 'shared/[name].js', banner }, ['uuid'])
chmodSync(join(dist, 'main.js'), 0o755)

if (values.modules) {
  const modules = readdirSync(source, { recursive: true }).filter(file => file.endsWith('.ts'))
  await compile(
    join(root, 'modules'),
    modules.map(file => file.slice(0, -'.ts'.length)),
    { preserveModules: true, preserveModulesRoot: source },
  )
}

const files = dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite-pgmq'))
mkdirSync(join(dist, 'pgmq'), { recursive: true })
copyFileSync(join(files, 'pgmq.tar.gz'), join(dist, 'pgmq', 'pgmq.tar.gz'))
copyFileSync(join(dirname(files), 'LICENSE'), join(dist, 'pgmq', 'LICENSE'))
