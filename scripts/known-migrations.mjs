// Writes the names and checksums of migrations/*.sql into the library, which has to know them wherever it is bundled:
// `npm run generate:migrations`, after each change of a migration. A test compares.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const directory = new URL('../migrations/', import.meta.url)
const target = new URL('../src/infrastructure/postgres/schema/known-migrations.ts', import.meta.url)
const checksum = file =>
  createHash('sha256')
    .update(readFileSync(new URL(file, directory), 'utf8').replaceAll('\r\n', '\n'))
    .digest('hex')

const lines = readdirSync(directory)
  .filter(file => file.endsWith('.sql'))
  .sort()
  .map(file => `  '${file.slice(0, -'.sql'.length)} ${checksum(file)}',\n`)
const source = readFileSync(target, 'utf8')
const generated = source.replace(
  /(const files = \[\n)[^\]]*(\])/,
  (_, before, after) => before + lines.join('') + after,
)
if (generated !== source) writeFileSync(target, generated)
console.log(`${fileURLToPath(target)}: ${generated === source ? 'is up to date' : 'was written'}`)
