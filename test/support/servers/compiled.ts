import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { compiledDirectory } from '../suite/compiled-modules.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The package, compiled once for all tests: `dist`, `migrations` and `package.json`. */
    compiledPackage: string
  }
}

const repository = fileURLToPath(new URL('../../../', import.meta.url))

/** `src/` as JavaScript, for tests that start processes. */
export const compiledSource = (): string => join(inject('compiledPackage'), 'dist')

export interface CompiledPackage {
  readonly directory: string
  /** Compiles again, after a change. */
  readonly compile: () => Promise<void>
  readonly remove: () => Promise<void>
}

/** Compiles `src/` to a directory from which node_modules is found; type errors are left to `npm run check`. */
export const compilePackage = async (): Promise<CompiledPackage> => {
  const directory = compiledDirectory
  const remove = () => rm(directory, { recursive: true, force: true })
  const compile = async (): Promise<void> => {
    const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
    const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', join(directory, 'dist')]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: repository }).catch(error => error)
    if (!existsSync(join(directory, 'dist', 'main.js'))) throw new Error(`src/ could not be compiled: ${stdout}`)
  }
  await remove()
  await mkdir(directory, { recursive: true })
  // in the layout of the package
  for (const name of ['migrations', 'package.json']) await symlink(join(repository, name), join(directory, name))
  try {
    await compile()
  } catch (error) {
    await remove()
    throw error
  }
  return { directory, compile, remove }
}
