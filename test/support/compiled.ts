import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../../', import.meta.url))

/** `src/` as JavaScript, for tests that run processes of their own. */
export interface Compiled {
  readonly directory: string
  remove(): Promise<void>
}

/** Compiles `src/` to a directory from which node_modules is found; type errors are left to `npm run check`. */
export const compileSource = (): Compiled => {
  // laid out as the package is: dist/ beside migrations/
  const root = join(repository, 'node_modules', '.cache', `commandbus-test-${process.pid}`)
  const directory = join(root, 'dist')
  mkdirSync(root, { recursive: true })
  rmSync(join(root, 'migrations'), { force: true })
  symlinkSync(join(repository, 'migrations'), join(root, 'migrations'))
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', directory], {
    cwd: repository,
    encoding: 'utf8',
  })
  if (!existsSync(directory)) throw new Error(`src/ could not be compiled: ${stdout}`)
  return { directory, remove: () => rm(root, { recursive: true, force: true }) }
}
