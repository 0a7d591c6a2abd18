// Makes dist/commonjs of dist: the library in CommonJS files, and its declarations once more, for what cannot load ES
// modules from CommonJS (Jest, TypeScript's node16 and node18). Node itself does not use it: see "exports" in package.json
// and docs/as-a-dependency.md.
//   node scripts/build-commonjs.mjs [<package directory>]
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = resolve(process.argv[2] ?? fileURLToPath(new URL('../', import.meta.url)))
const dist = join(root, 'dist')
const target = join(dist, 'commonjs')

/** Copies a declaration and those it needs; their folder's package.json makes them CommonJS. */
const copyDeclarations = (file, copied = new Set()) => {
  if (copied.has(file)) return
  copied.add(file)
  cpSync(file, join(target, relative(dist, file)))
  for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*['"](\.[^'"]+)['"]/g))
    copyDeclarations(join(dirname(file), name.replace(/\.[jt]s$/, '.d.ts')), copied)
}

rmSync(target, { recursive: true, force: true })
const entries = ['index', 'telemetry', 'testing/index', 'testing/arbitraries/index', 'testing/ports/index']
await build({
  configFile: false,
  logLevel: 'warn',
  root,
  build: {
    ssr: true,
    target: 'node20',
    minify: false,
    outDir: target,
    rolldownOptions: {
      input: Object.fromEntries(entries.map(entry => [entry, join(dist, `${entry}.js`)])),
      output: {
        format: 'cjs',
        entryFileNames: '[name].js',
        chunkFileNames: 'shared/[name].js',
      },
    },
  },
})
for (const entry of entries) copyDeclarations(join(dist, `${entry}.d.ts`))
writeFileSync(join(target, 'package.json'), '{ "type": "commonjs" }\n')
