import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, realpath, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { EmbeddedServerError } from './error.ts'
import { exists, makeDirectory, readText, writePrivate } from './files.ts'
import { canEnter, isRoot, type RunAs, serverAccount } from './os-user.ts'
import { poll, postgresProcessesOf, signal } from './processes.ts'

/** Where the server of one home has its files, and the account that it runs under. */
export interface Layout {
  readonly home: string
  /** Contains the data directory and, if needed, copies of programs and extensions. Below `home`, or outside for root. */
  readonly root: string
  readonly dataDir: string
  readonly logFile: string
  readonly runAs: RunAs
}

const POINTER = 'postgres.location'
const OUTSIDE = ['/var/lib/commandbus', '/var/tmp/commandbus']

/** Makes `home` if it does not exist, and returns its real path. */
export const openHome = async (home: string): Promise<string> => {
  const path = resolve(home)
  if (!(await exists(path))) {
    await makeDirectory(dirname(path), basename(path), 0o700)
    // root's server account has to pass through this directory; the files inside have their own modes.
    if (isRoot()) await chmod(path, 0o711)
  }
  return realpath(path)
}

/** Whether a database was made in this home; makes nothing. */
export const hasDatabase = async (home: string): Promise<boolean> => {
  const path = resolve(home)
  const outside = await readText(`${path}/${POINTER}`)
  return exists(`${outside === undefined ? `${path}/postgres` : outside.trim()}/data`)
}

const layoutAt = (home: string, root: string, runAs: RunAs): Layout => ({
  home,
  root,
  dataDir: `${root}/data`,
  logFile: `${home}/postgres.log`,
  runAs,
})

const ownerOf = async (path: string): Promise<{ uid: number; gid: number } | undefined> =>
  stat(path).then(
    ({ uid, gid }) => ({ uid, gid }),
    () => undefined,
  )

const belongsToAnother = (home: string, uid: number): EmbeddedServerError =>
  new EmbeddedServerError(
    'PERMISSION',
    `The embedded database of ${home} belongs to the user with uid ${uid}: run commandbus as that user` +
      ' (or as root), or set COMMANDBUS_HOME to a directory of your own.',
  )

const ordinaryLayout = async (home: string): Promise<Layout> => {
  if ((await readText(`${home}/${POINTER}`)) !== undefined) throw belongsToAnother(home, 0)
  const layout = layoutAt(home, await makeDirectory(home, 'postgres', 0o700), {})
  const owner = await ownerOf(layout.dataDir)
  if (owner !== undefined && owner.uid !== process.getuid?.()) throw belongsToAnother(home, owner.uid)
  return layout
}

/**
 * A user who deleted a home wants to begin again: the data that it pointed to is renamed to `data.before`, which replaces
 * an earlier one.
 */
const putAside = async (directory: string): Promise<void> => {
  const data = `${directory}/data`
  if (!(await exists(data))) return
  for (const pid of postgresProcessesOf(data)) signal(pid, 'SIGQUIT')
  await poll(() => (postgresProcessesOf(data).length === 0 ? true : undefined), 10_000)
  await rm(`${directory}/data.before`, { recursive: true, force: true })
  await rename(data, `${directory}/data.before`)
}

/** A directory of root that the account can enter where it cannot reach `home`. */
const placeOutside = async (home: string, runAs: RunAs): Promise<string> => {
  const key = createHash('sha256').update(home).digest('hex').slice(0, 16)
  for (const base of OUTSIDE) {
    try {
      for (const directory of [base, `${base}/${key}`]) {
        await mkdir(directory, { mode: 0o711 }).catch(() => undefined)
        const found = await lstat(directory)
        if (!found.isDirectory() || found.uid !== 0) throw new Error(`${directory} does not belong to root`)
        await chmod(directory, 0o711)
      }
      if (!canEnter(`${base}/${key}`, runAs)) continue
      await putAside(`${base}/${key}`)
      await writePrivate(`${base}/${key}`, 'home', home)
      await writePrivate(home, POINTER, `${base}/${key}`)
      return `${base}/${key}`
    } catch {
      // Not writable, or owned by another user: try the next place.
    }
  }
  throw new EmbeddedServerError(
    'PERMISSION',
    `The ordinary account that runs PostgreSQL for root cannot reach ${home} nor ${OUTSIDE.join(' or ')}: ` +
      'set COMMANDBUS_HOME to a directory that every user can enter.',
  )
}

const outsideLayout = async (home: string, root: string): Promise<Layout> => {
  const claimed = await readText(`${root}/home`)
  if (claimed !== undefined && claimed !== home && (await readText(`${claimed}/${POINTER}`)) === root)
    throw new EmbeddedServerError(
      'PERMISSION',
      `${home} is a copy of ${claimed}, which keeps its database in ${root}: delete ${home}, or set COMMANDBUS_HOME.`,
    )
  if (claimed !== home) {
    // The home was moved, or the outside directory was lost: it is made again, empty.
    await mkdir(root, { recursive: true, mode: 0o711 })
    await writePrivate(root, 'home', home)
  }
  return layoutAt(home, root, (await ownerOf(`${root}/data`)) ?? serverAccount())
}

const rootLayout = async (home: string): Promise<Layout> => {
  const pointer = await readText(`${home}/${POINTER}`)
  if (pointer !== undefined) return outsideLayout(home, pointer)
  const root = await makeDirectory(home, 'postgres', 0o711)
  const existing = await ownerOf(`${root}/data`)
  const { uid, gid } = await stat(home)
  const runAs = existing ?? (uid === 0 ? serverAccount() : { uid, gid })
  if ((await stat(root)).uid === 0) await chmod(root, 0o711)
  if (canEnter(root, runAs)) return layoutAt(home, root, runAs)
  if (existing !== undefined)
    throw new EmbeddedServerError(
      'PERMISSION',
      `The account that runs PostgreSQL for root (uid ${runAs.uid}) cannot reach ${root}: ` +
        'let it through the directories above (chmod o+x), or set COMMANDBUS_HOME to another place.',
    )
  await rmdir(root).catch(() => undefined)
  return layoutAt(home, await placeOutside(home, runAs), runAs)
}

/** Decides where the files of `home`'s server are; the answer does not change once there is data. */
export const resolveLayout = async (home: string): Promise<Layout> =>
  isRoot() ? rootLayout(home) : ordinaryLayout(home)

/** The file in `home` that contains the path of root's server data, where that is outside. */
export const pointerFile = (home: string): string => `${home}/${POINTER}`
