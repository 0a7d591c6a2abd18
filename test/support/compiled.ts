import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
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
  const directory = join(repository, 'node_modules', '.cache', `commandbus-test-${process.pid}`)
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', directory], {
    cwd: repository,
    encoding: 'utf8',
  })
  if (!existsSync(directory)) throw new Error(`src/ could not be compiled: ${stdout}`)
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) }
}
