// Makes dist/ unless it is newer than everything it is made of: the service from src/, the console from web/. `npm start`
// runs this first.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
const tool = (...path) => join(root, 'node_modules', ...path)
const changedAt = path => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
const filesOf = folder =>
  readdirSync(join(root, folder), { recursive: true }).map(file => join(root, folder, String(file)))
const newest = (files, folders) =>
  Math.max(...files.map(file => changedAt(join(root, file))), ...folders.flatMap(filesOf).map(changedAt))

const compiler = tool('typescript', 'bin', 'tsc')
const bundler = tool('vite', 'bin', 'vite.js')

const make = (message, program, args) => {
  console.log(message)
  const { status } = spawnSync(process.execPath, [program, ...args], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}

// an installed package has dist/ only
const isSourceTree = existsSync(join(root, 'src')) && existsSync(compiler)
if (isSourceTree) {
  const service = join(root, 'dist', 'main.js')
  if (changedAt(service) <= newest(['package.json', 'tsconfig.json', 'tsconfig.build.json'], ['src'])) {
    make('Compiling ...', compiler, ['-p', 'tsconfig.build.json'])
    chmodSync(service, 0o755)
  }
  const page = join(root, 'dist', 'web', 'index.html')
  const hasConsole = existsSync(join(root, 'web')) && existsSync(bundler)
  if (hasConsole && changedAt(page) <= newest(['package.json'], ['web', 'src'])) {
    make('Building the console ...', bundler, ['build', '--config', 'web/vite.config.ts', '--logLevel', 'warn'])
  }
}
