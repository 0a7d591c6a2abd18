import { randomUUID } from 'node:crypto'
import { chown, mkdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, EmbeddedServerError } from './error.ts'
import { isRoot } from './os-user.ts'

/** The content of a text file, trimmed; undefined when there is none. */
export const readText = async (path: string): Promise<string | undefined> => {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

export const exists = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Gives a file that root made to the owner of the directory `like`, so that this user can go on without root. */
export const adopt = async (path: string, like: string): Promise<void> => {
  if (!isRoot()) return
  const { uid, gid } = await stat(like)
  if (uid !== 0) await chown(path, uid, gid)
}

/** Writes a file of mode 0600 that readers see either whole or not at all. */
export const writePrivate = async (directory: string, name: string, text: string): Promise<void> => {
  const temporary = join(directory, `.${name}.${randomUUID()}`)
  await writeFile(temporary, text, { mode: 0o600, flag: 'wx' })
  await adopt(temporary, directory)
  await rename(temporary, join(directory, name)).catch(async error => {
    await rm(temporary, { force: true })
    throw error
  })
}

/** Makes a directory below `parent` (its owner is the parent's). */
export const makeDirectory = async (parent: string, name: string, mode: number): Promise<string> => {
  const path = join(parent, name)
  if (await exists(path)) return path
  await mkdir(path, { recursive: true, mode })
  await adopt(path, parent)
  return path
}

/** Free bytes of the file system that holds `path`; undefined when it is not known. */
export const freeBytes = async (path: string): Promise<number | undefined> =>
  statfs(path).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => undefined,
  )

/** Turns a file system error into a sentence that says what to do about `home`. */
export const explainFileError = (error: unknown, home: string): unknown => {
  const code = codeOf(error)
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new EmbeddedServerError(
      'PERMISSION',
      `Cannot use ${home} for the embedded database (${code}): run commandbus as the user who owns it, ` +
        'or set COMMANDBUS_HOME to a directory of your own.',
      { cause: error },
    )
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new EmbeddedServerError(
      'DISK_FULL',
      `No space is left for the embedded database in ${home}: free some space, or set COMMANDBUS_HOME to another disk.`,
      { cause: error },
    )
  if (code === 'ENOTDIR' || code === 'EEXIST')
    return new EmbeddedServerError('PERMISSION', `${home} is not a directory: set COMMANDBUS_HOME to one.`, {
      cause: error,
    })
  return error
}
