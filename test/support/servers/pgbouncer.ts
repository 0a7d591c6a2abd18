import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { isRoot, serverAccount } from '../../../src/infrastructure/postgres/embedded/os-user.ts'
import { freePort } from '../../../src/infrastructure/postgres/embedded/postmaster.ts'

const PROGRAMS = ['/usr/sbin/pgbouncer', '/usr/local/sbin/pgbouncer', '/usr/local/bin/pgbouncer', 'pgbouncer']
const program = PROGRAMS.find(name => spawnSync(name, ['--version']).status === 0)

/** Null where tests can use PgBouncer, else why they cannot. */
export const noPgBouncer = program === undefined ? 'pgbouncer is not installed on this machine' : null

export interface PgBouncer {
  /** The connection string of the database through the pooler. */
  readonly url: string
  readonly stop: () => Promise<void>
}

export interface PgBouncerOptions {
  readonly mode: 'session' | 'transaction' | 'statement'
  readonly poolSize?: number
}

const running = new Set<ChildProcess>()
// a test run that ends in a hurry leaves nothing behind
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** PgBouncer as it comes: no start parameter is ignored, all other settings are its defaults. */
export const startPgBouncer = async (
  databaseUrl: string,
  { mode, poolSize = 40 }: PgBouncerOptions,
): Promise<PgBouncer> => {
  if (program === undefined) throw new Error('pgbouncer is not installed')
  const { hostname, port, username, password, pathname } = new URL(databaseUrl)
  const database = pathname.slice(1)
  const directory = await mkdtemp(join(tmpdir(), 'commandbus-pgbouncer-'))
  const ownPort = await freePort()
  const target = `host=${hostname} port=${port || 5432} user=${username} password='${decodeURIComponent(password)}'`
  const file = join(directory, 'pgbouncer.ini')
  await writeFile(
    file,
    `[databases]
${database} = ${target}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${ownPort}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${poolSize}
max_client_conn = 300
`,
  )
  await chmod(directory, 0o755)
  const child = spawn(program, [file], {
    ...(isRoot() ? serverAccount() : {}),
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  running.add(child)
  const lines: string[] = []
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', line => {
      lines.push(line)
      if (line.includes('process up')) resolve()
    })
    child.on('error', reject)
    child.on('exit', code => reject(new Error(`pgbouncer ended with code ${code}: ${lines.join('\n')}`)))
  })
  return {
    url: `postgres://${username}@127.0.0.1:${ownPort}/${database}`,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      running.delete(child)
      await rm(directory, { recursive: true, force: true })
    },
  }
}
