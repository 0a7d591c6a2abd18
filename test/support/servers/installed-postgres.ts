import { type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, chown, copyFile, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { isRoot, type RunAs, serverAccount, serverEnv } from '../../../src/infrastructure/postgres/embedded/os-user.ts'
import { freePort } from '../../../src/infrastructure/postgres/embedded/postmaster.ts'
import { unpackPgmq } from '../../../src/infrastructure/postgres/schema/pgmq-files.ts'
import { dataDirectory } from './data-directory.ts'

const LIB = '/usr/lib/postgresql'
const SHARE = '/usr/share/postgresql'

/** The versions of PostgreSQL, of those that the bus supports, that Debian packages have installed on this machine. */
export const installedVersions = (): readonly string[] =>
  existsSync(LIB)
    ? readdirSync(LIB)
        .filter(version => /^1[5-8]$/.test(version) && existsSync(join(LIB, version, 'bin', 'initdb')))
        .sort()
    : []

export interface InstalledServer {
  /** Connection string of a superuser. */
  readonly url: string
  /** Makes `create extension pgmq` possible. */
  readonly offerPgmq: () => Promise<void>
  readonly stop: () => Promise<void>
}

interface ServerPlace {
  readonly bin: string
  readonly data: string
  /** Removed when the server stops. */
  readonly root: string
  readonly options: SpawnOptions
}

/** Starts `postgres` on its data; it may not answer yet. */
export const runServer = async ({ bin, data, root, options }: ServerPlace) => {
  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    fsync: 'off',
    max_connections: 60,
  }
  const server = spawn(
    join(bin, 'postgres'),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...options, stdio: 'ignore' },
  )
  const ended = once(server, 'exit')
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.signalCode === null) server.kill('SIGQUIT')
    await ended
    await rm(root, { recursive: true, force: true })
  }
  return { port, server, stop }
}

/**
 * Starts one of them, with its own data. PostgreSQL finds its files by the place of its program: a copy of the program has
 * its own extension folder, and the machine's does not change.
 */
export const startInstalled = async (version: string): Promise<InstalledServer> => {
  const runAs: RunAs = isRoot() ? serverAccount() : {}
  const root = await mkdtemp(join(dataDirectory(), 'commandbus-installed-'))
  await chmod(root, 0o755)
  const bin = join(root, 'lib', 'postgresql', version, 'bin')
  const share = join(root, 'share', 'postgresql', version)
  const extensions = join(share, 'extension')
  const data = join(root, 'data')
  for (const folder of [bin, extensions, data]) await mkdir(folder, { recursive: true })
  const { uid, gid } = runAs
  if (uid !== undefined && gid !== undefined) await chown(data, uid, gid)
  await copyFile(join(LIB, version, 'bin', 'postgres'), join(bin, 'postgres'))
  await symlink(join(LIB, version, 'lib'), join(root, 'lib', 'postgresql', version, 'lib'))
  await linkAll(join(SHARE, version), share)
  await linkAll(join(SHARE, version, 'extension'), extensions)

  const options = { ...runAs, cwd: '/', env: serverEnv() }
  const args = ['-D', data, '-U', 'admin', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']
  const made = spawnSync(join(LIB, version, 'bin', 'initdb'), args, { ...options, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`initdb of PostgreSQL ${version} failed: ${made.stderr}`)
  const { port, server, stop } = await runServer({ bin, data, root, options })
  const url = `postgres://admin@127.0.0.1:${port}/postgres`
  while (!(await answers(url))) {
    if (server.exitCode !== null) {
      await stop()
      throw new Error(`PostgreSQL ${version} ended with code ${server.exitCode}`)
    }
    await delay(50)
  }
  return {
    url,
    offerPgmq: async () => {
      const unpacked = join(await unpackPgmq(root), 'extension')
      for (const name of await readdir(unpacked)) await copyFile(join(unpacked, name), join(extensions, name))
    },
    stop,
  }
}

/** Makes links to everything in `from`, except what `to` has already. */
const linkAll = async (from: string, to: string): Promise<void> => {
  for (const name of await readdir(from)) {
    if (!existsSync(join(to, name))) await symlink(join(from, name), join(to, name))
  }
}

const answers = async (url: string): Promise<boolean> => {
  const client = new pg.Client(url)
  client.on('error', () => undefined)
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}
