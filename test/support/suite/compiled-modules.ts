import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitest/config'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const source = join(root, 'src') + sep

/** Where this run has the package as JavaScript: the global setup compiles it there once. */
export const compiledDirectory = join(root, 'node_modules', '.cache', `commandbus-test-${process.pid}`)

/**
 * Tests that import a module of `src/` get the compiled one, as users do. Each test file is a process of its own, and to translate
 * hundreds of modules again for each of them took a quarter of the suite's time.
 */
export const compiledModules: Plugin = {
  name: 'compiled-modules',
  enforce: 'pre',
  resolveId(id, importer) {
    if (!id.startsWith('.') || !id.endsWith('.ts') || importer === undefined) return null
    const file = resolve(dirname(importer), id)
    if (!file.startsWith(source)) return null
    const compiled = join(compiledDirectory, 'modules', relative(source, file).replace(/\.ts$/, '.js'))
    return { id: compiled, external: true }
  },
}
