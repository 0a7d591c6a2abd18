// Some tools have a package.json of their own, so that only those who use them install their packages.
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'

const changedAt = file => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Installs what the lock in the folder names, unless that is installed already. Returns whether it is installed now. */
export const installApart = folder => {
  const installed = join(folder, 'node_modules', '.package-lock.json')
  if (changedAt(installed) >= changedAt(join(folder, 'package-lock.json'))) return true
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    // standard output belongs to the caller, who may print JSON there
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) console.error(`npm ci failed in ${folder}`)
  return status === 0
}
