// Makes dist/index.cjs of dist/index.js: the library in one CommonJS file, for what cannot load ES modules from CommonJS
// (Jest). Node does not use it: see "exports" in package.json. uuid goes into it, as there is no CommonJS version of it.
//   node scripts/build-commonjs.mjs [<package directory>]
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const repository = fileURLToPath(new URL('../', import.meta.url))
const root = resolve(process.argv[2] ?? repository)
const licence = readFileSync(join(repository, 'node_modules', 'uuid', 'LICENSE.md'), 'utf8').trim()

await build({
  configFile: false,
  logLevel: 'warn',
  root,
  ssr: { noExternal: ['uuid'] },
  build: {
    ssr: true,
    target: 'node20',
    minify: false,
    emptyOutDir: false,
    outDir: 'dist',
    rolldownOptions: {
      input: join(root, 'dist', 'index.js'),
      output: { format: 'cjs', entryFileNames: 'index.cjs', banner: `/*! Contains uuid.\n\n${licence}\n*/` },
    },
  },
})
