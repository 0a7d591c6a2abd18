import { spawnSync } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { isRoot, type RunAs, serverAccount, serverEnv } from '../../../src/infrastructure/postgres/embedded/os-user.ts'
import { dataDirectory } from './data-directory.ts'
import { runServer } from './installed-postgres.ts'

export interface Standby {
  /** Connection string of a superuser. It may not answer yet. */
  readonly url: string
  readonly stop: () => Promise<void>
}

/** Starts a physical standby of a server that `startInstalled` has started, with Debian's programs of the same version. */
export const startStandby = async (version: string, primaryUrl: string): Promise<Standby> => {
  const runAs: RunAs = isRoot() ? serverAccount() : {}
  const root = await mkdtemp(join(dataDirectory(), 'commandbus-standby-'))
  await chmod(root, 0o755)
  const data = join(root, 'data')
  await mkdir(data, { mode: 0o700 })
  const { uid, gid } = runAs
  if (uid !== undefined && gid !== undefined) await chown(data, uid, gid)
  const options = { ...runAs, cwd: '/', env: serverEnv() }
  const bin = join('/usr/lib/postgresql', version, 'bin')
  const { hostname, port: primaryPort, username } = new URL(primaryUrl)
  const from = ['-h', hostname, '-p', primaryPort, '-U', username, '-D', data, '-R', '-X', 'stream', '-c', 'fast', '-N']
  const copied = spawnSync(join(bin, 'pg_basebackup'), from, { ...options, encoding: 'utf8' })
  if (copied.status !== 0) throw new Error(`pg_basebackup of PostgreSQL ${version} failed: ${copied.stderr}`)
  const { port, stop } = await runServer({ bin, data, root, options })
  return { url: `postgres://${username}@127.0.0.1:${port}/postgres`, stop }
}
