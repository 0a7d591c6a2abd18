// Makes dist/ unless it is newer than everything it is made of: the service from src/, the console from web/. `npm start`
// runs this first.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
const changedAt = path => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
const filesOf = folder =>
  readdirSync(join(root, folder), { recursive: true }).map(file => join(root, folder, String(file)))
const newest = (files, folders) =>
  Math.max(...files.map(file => changedAt(join(root, file))), ...folders.flatMap(filesOf).map(changedAt))

const bundler = join(root, 'node_modules', 'vite', 'bin', 'vite.js')

const make = (message, ...args) => {
  console.log(message)
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}

// an installed package has dist/ only
const isSourceTree = existsSync(join(root, 'src')) && existsSync(bundler)
if (isSourceTree) {
  const service = join(root, 'dist', 'main.js')
  if (changedAt(service) <= newest(['package.json', 'scripts/build-service.mjs'], ['src'])) {
    make('Building the service ...', join(root, 'scripts', 'build-service.mjs'))
  }
  const page = join(root, 'dist', 'web', 'index.html')
  if (existsSync(join(root, 'web')) && changedAt(page) <= newest(['package.json'], ['web', 'src'])) {
    make('Building the console ...', bundler, 'build', '--config', 'web/vite.config.ts', '--logLevel', 'warn')
  }
}
