import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EmbeddedServerError } from './error.ts'
import { exists, freeBytes, readText, writePrivate } from './files.ts'
import type { Layout } from './layout.ts'
import { lastLines } from './log-file.ts'
import { serverEnv } from './os-user.ts'

const MAJOR = '18'
const PASSWORD_FILE = 'postgres.password'
const MEGABYTE = 1024 * 1024
const NEW_DATABASE = 64 * MEGABYTE

/** The password of the server's owner, generated on first use and stored in a file of mode 0600. */
export const passwordOf = async (layout: Layout): Promise<string> => {
  const kept = await readText(join(layout.home, PASSWORD_FILE))
  if (kept !== undefined && kept !== '') return kept
  if (await exists(layout.dataDir))
    throw new EmbeddedServerError(
      'PERMISSION',
      `${layout.home}/${PASSWORD_FILE} is missing although there is a database in ${layout.dataDir}: ` +
        'restore that file, or move the data away to start with an empty database.',
    )
  const password = randomBytes(24).toString('hex')
  await writePrivate(layout.home, PASSWORD_FILE, password)
  return password
}

const run = (program: string, args: readonly string[], layout: Layout): Promise<{ code: number; output: string }> =>
  new Promise(resolve => {
    const child = spawn(program, args, {
      ...layout.runAs,
      cwd: '/',
      env: serverEnv(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const collect = (chunk: Buffer) => {
      output += chunk.toString('utf8')
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('error', error => resolve({ code: -1, output: error.message }))
    child.on('close', code => resolve({ code: code ?? -1, output }))
  })

const diskFull = (layout: Layout): EmbeddedServerError =>
  new EmbeddedServerError(
    'DISK_FULL',
    `There is not enough space for the embedded database in ${layout.root} (a new one takes ${NEW_DATABASE / MEGABYTE} MB): ` +
      'free some space, or set COMMANDBUS_HOME to another disk.',
  )

/** The error for a failed program: a full disk has its own, all others contain the end of the output. */
export const failure = async (
  code: 'INIT_FAILED' | 'START_FAILED',
  what: string,
  output: string,
  layout: Layout,
): Promise<EmbeddedServerError> => {
  const free = await freeBytes(layout.root)
  if (/No space left on device|Disk quota exceeded/i.test(output) || (free !== undefined && free < 16 * MEGABYTE))
    return diskFull(layout)
  return new EmbeddedServerError(
    code,
    `${what}; fix what its output names, or set DATABASE_URL to a server of your own. Its output ends with:\n` +
      (lastLines(output) || '(nothing)'),
  )
}

const checkVersion = async (layout: Layout): Promise<void> => {
  const version = await readText(join(layout.dataDir, 'PG_VERSION'))
  if (version === MAJOR) return
  throw new EmbeddedServerError(
    'WRONG_VERSION',
    `${layout.dataDir} holds data of PostgreSQL ${version ?? '(unknown)'}, this commandbus brings PostgreSQL ${MAJOR}: ` +
      'dump it with the commandbus that wrote it, move the directory away, and restore the dump.',
  )
}

/**
 * Makes the data directory unless it exists; what an interrupted attempt leaves does not count as one.
 * @param durable false skips the flush to disk (tests)
 */
export const ensureDataDirectory = async (
  layout: Layout,
  programs: string,
  password: string,
  durable: boolean,
): Promise<void> => {
  if (await exists(layout.dataDir)) return checkVersion(layout)
  if (((await freeBytes(layout.root)) ?? NEW_DATABASE) < NEW_DATABASE) throw diskFull(layout)
  const unfinished = join(layout.root, 'data.unfinished')
  const passwordCopy = join(layout.root, 'initdb.password')
  await rm(unfinished, { recursive: true, force: true })
  await rm(passwordCopy, { force: true })
  try {
    await mkdir(unfinished, { mode: 0o700 })
    await writeFile(passwordCopy, `${password}\n`, { mode: 0o600, flag: 'wx' })
    const { uid, gid } = layout.runAs
    if (uid !== undefined && gid !== undefined)
      for (const path of [unfinished, passwordCopy]) await chown(path, uid, gid)
    const { code, output } = await run(
      join(programs, 'initdb'),
      [
        ...['--pgdata', unfinished, '--username', 'commandbus', '--pwfile', passwordCopy],
        ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-instructions'],
        ...['--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
        ...(durable ? [] : ['--no-sync']),
      ],
      layout,
    )
    if (code !== 0) throw await failure('INIT_FAILED', `initdb failed for ${layout.dataDir}`, output, layout)
    await rename(unfinished, layout.dataDir)
  } finally {
    await rm(passwordCopy, { force: true })
    await rm(unfinished, { recursive: true, force: true })
  }
}
