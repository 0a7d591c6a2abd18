// Compiles src/ to dist/ unless dist/ is newer than everything it is made of. `npm start` runs this first.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
const program = join(root, 'dist', 'main.js')
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

const changedAt = path => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
const sources = () => [
  ...['package.json', 'tsconfig.json', 'tsconfig.build.json'].map(file => join(root, file)),
  ...readdirSync(join(root, 'src'), { recursive: true }).map(file => join(root, 'src', String(file))),
]

// an installed package has dist/ only
const isSourceTree = existsSync(join(root, 'src')) && existsSync(compiler)
if (isSourceTree && changedAt(program) <= Math.max(...sources().map(changedAt))) {
  console.log('Compiling ...')
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(1)
  chmodSync(program, 0o755)
}
