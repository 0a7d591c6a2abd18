// Copies pgmq's files into dist/pgmq, with the licence of the package that they come in: that package also brings PostgreSQL
// in WebAssembly (26 MB), which nothing here needs.
//   node scripts/copy-pgmq.mjs [<package directory>]
import { copyFileSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const target = join(resolve(process.argv[2] ?? fileURLToPath(new URL('../', import.meta.url))), 'dist', 'pgmq')
const files = dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite-pgmq'))
mkdirSync(target, { recursive: true })
copyFileSync(join(files, 'pgmq.tar.gz'), join(target, 'pgmq.tar.gz'))
copyFileSync(join(dirname(files), 'LICENSE'), join(target, 'LICENSE'))
