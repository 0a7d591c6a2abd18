// Makes the JavaScript of dist/ from src/: few files instead of one for each module, which a process loads in half of the time.
// Declarations come from the compiler (`npm run build:service`). pgmq's files are copied with the licence of the package that
// they come in: it also brings PostgreSQL in WebAssembly (26 MB), which nothing here needs. Packages of which little is used go
// into dist/, with their licences (docs/adr/0029-few-files.md).
//   node scripts/build-service.mjs [--modules] [<package directory>]
// --modules: makes modules/ too, with one file for each of src/, for tests and the benchmark, which import them one by one
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve, sep } from 'node:path'
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
    // the version that parts can be left out of
    resolve: { alias: noExternal.includes('fp-ts') ? { 'fp-ts/lib': 'fp-ts/es6' } : {} },
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
const builtIn = { uuid: 'LICENSE.md', 'fp-ts': 'LICENSE', 'io-ts': 'LICENSE' }
const licences = Object.entries(builtIn).map(([name, file]) => {
  const folder = join(repository, 'node_modules', name)
  const text = readFileSync(join(folder, file), 'utf8').trim()
  return { folder: folder + sep, text: `/*! Contains ${name}.\n\n${text}\n*/` }
})
const banner = ({ moduleIds }) =>
  licences
    .filter(({ folder }) => moduleIds.some(id => id.startsWith(folder)))
    .map(({ text }) => text)
    .join('\n')
await compile(dist, entries, { chunkFileNames: 'shared/[name].js', banner }, Object.keys(builtIn))
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
