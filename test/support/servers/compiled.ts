import { execFile } from 'node:child_process'
import { mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { compiledDirectory } from '../suite/compiled-modules.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The package, compiled once for all tests: `dist`, `migrations`, `package.json`, and `modules` for tests alone. */
    compiledPackage: string
  }
}

const repository = fileURLToPath(new URL('../../../', import.meta.url))

/** The library and the program as they are published, for tests that start processes. */
export const compiledSource = (): string => join(inject('compiledPackage'), 'dist')

/** `src/` with a JavaScript file for each module, for processes that load one which the package does not show. */
export const compiledModules = (): string => join(inject('compiledPackage'), 'modules')

export interface CompiledPackage {
  readonly directory: string
  /** Compiles again, after a change. */
  readonly compile: () => Promise<void>
  readonly remove: () => Promise<void>
}

/** Builds the package in a directory from which node_modules is found; type errors are left to `npm run check`. */
export const compilePackage = async (): Promise<CompiledPackage> => {
  const directory = compiledDirectory
  const remove = () => rm(directory, { recursive: true, force: true })
  const compile = async (): Promise<void> => {
    const run = (...args: readonly string[]) => promisify(execFile)(process.execPath, args, { cwd: repository })
    const compiler = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--noCheck']
    await Promise.all([
      run('scripts/build-service.mjs', '--modules', directory),
      run(...compiler, '--outDir', join(directory, 'dist')),
    ])
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
