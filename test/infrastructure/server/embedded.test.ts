import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chown, mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import {
  EmbeddedServerError,
  embeddedStatus,
  removeEmbedded,
  startEmbedded,
} from '../../../src/infrastructure/postgres/embedded/index.ts'
import { compiledModules } from '../../support/servers/compiled.ts'
import { dataDirectory } from '../../support/servers/data-directory.ts'

const root = process.getuid?.() === 0
const fast = { settings: { fsync: 'off' } }
const owners: ChildProcess[] = []
const places: string[] = []

afterEach(async () => {
  for (const owner of owners.splice(0)) owner.kill('SIGKILL')
  for (const place of places.splice(0)) {
    await removeEmbedded(join(place, 'home'))
    await rm(place, { recursive: true, force: true })
  }
})

const newHome = async (mode = 0o755): Promise<string> => {
  const place = join(dataDirectory(), `commandbus-embedded-${randomBytes(6).toString('hex')}`)
  await mkdir(place, { mode })
  places.push(place)
  return join(place, 'home')
}

interface Owner {
  readonly process: ChildProcess
  readonly answer: { url: string; port: number; startedHere: boolean; code?: string; message?: string }
  /** Ends its input, so that it releases its share, and waits for its end. */
  leave(): Promise<void>
  kill(): Promise<void>
}

const newOwner = async (home: string, options: { supervise?: boolean; uid?: number } = {}): Promise<Owner> => {
  const script = join(import.meta.dirname, 'embedded-owner.mjs')
  const child = spawn(
    process.execPath,
    [script, compiledModules(), home, ...(options.supervise ? ['supervise'] : [])],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    },
  )
  owners.push(child)
  const ended = once(child, 'exit').then(() => undefined)
  const [line] = await once(createInterface(child.stdout), 'line')
  const leave = () => {
    child.stdin.end()
    return ended
  }
  const kill = () => {
    child.kill('SIGKILL')
    return ended
  }
  return { process: child, answer: JSON.parse(line), leave, kill }
}

const query = async <R extends pg.QueryResultRow>(url: string, sql: string): Promise<R[]> => {
  const client = new pg.Client(url)
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<R>(sql)).rows
  } finally {
    await client.end().catch(() => undefined)
  }
}

const pidOf = async (home: string): Promise<number> => {
  const { pid } = await embeddedStatus(home)
  if (pid === undefined) throw new Error('the server does not run')
  return pid
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

describe('an embedded server that nobody uses yet', () => {
  it('starts with pgmq, UTF-8, UTC and durable settings, and stops with its last user', async () => {
    const home = await newHome()
    const server = await startEmbedded({ home })
    expect(server.startedHere).toBe(true)
    const [row] = await query(
      server.url,
      `select current_setting('server_version_num')::int / 10000 as major, current_setting('fsync') as fsync,
              current_setting('synchronous_commit') as commit, current_setting('timezone') as zone,
              current_setting('server_encoding') as encoding, current_setting('max_connections') as connections,
              current_setting('idle_in_transaction_session_timeout') as idle, current_database() as name,
              (select extversion from pg_extension where extname = 'pgmq') as pgmq`,
    )
    expect(row).toMatchObject({
      major: 18,
      fsync: 'on',
      commit: 'on',
      zone: 'UTC',
      encoding: 'UTF8',
      name: 'commandbus',
    })
    expect(row).toMatchObject({ connections: '200', idle: '1min', pgmq: expect.stringMatching(/^1\.1/) })
    await server.release()
    expect(await embeddedStatus(home)).toMatchObject({ running: false, users: [] })
    await server.release()
  })

  it('keeps data, password and port over a restart', async () => {
    const home = await newHome()
    const first = await startEmbedded({ home, ...fast })
    await query(first.url, 'create table kept as select 42 as answer')
    await first.release()
    const second = await startEmbedded({ home, ...fast })
    expect(second).toMatchObject({ url: first.url, startedHere: true })
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }])
    await second.release()
  })

  it('listens only on the loopback interface, and its secrets are readable by its user only', async () => {
    const home = await newHome()
    const server = await startEmbedded({ home, ...fast })
    expect(await query(server.url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }])
    expect(await query(server.url, 'show unix_socket_directories')).toEqual([{ unix_socket_directories: '' }])
    const outside = Object.values(networkInterfaces())
      .flat()
      .find(address => address !== undefined && !address.internal && address.family === 'IPv4')
    if (outside !== undefined) {
      const socket = connect(server.port, outside.address)
      const [error] = await once(socket, 'error')
      expect(error).toMatchObject({ code: 'ECONNREFUSED' })
    }
    for (const file of ['postgres.password', 'postgres.port', 'postgres.log'])
      expect(await modeOf(join(home, file)), file).toBe(0o600)
    expect(await modeOf((await embeddedStatus(home)).dataDirectory)).toBe(0o700)
    const wrong = server.url.replace(/:[0-9a-f]+@/, ':wrong@')
    await expect(query(wrong, 'select 1')).rejects.toMatchObject({ code: '28P01' })
    await server.release()
  })

  it('cuts a log that has grown beyond 10 MB', async () => {
    const home = await newHome()
    await mkdir(home)
    await writeFile(join(home, 'postgres.log'), 'old\n')
    await truncate(join(home, 'postgres.log'), 11 * 1024 * 1024)
    const server = await startEmbedded({ home, ...fast })
    expect((await stat(join(home, 'postgres.log'))).size).toBeLessThan(2 * 1024 * 1024)
    await server.release()
  })

  it('uses another port when its own was taken meanwhile', async () => {
    const home = await newHome()
    const other = await startEmbedded({ home: await newHome(), ...fast })
    await mkdir(home)
    await writeFile(join(home, 'postgres.port'), String(other.port))
    const server = await startEmbedded({ home, ...fast })
    expect(server.port).not.toBe(other.port)
    await server.release()
    await other.release()
  })
})

describe('an embedded server with several users', () => {
  it('is started by one process, joined by the others at the same moment, and stopped by the last', async () => {
    const home = await newHome()
    const all = await Promise.all([newOwner(home), newOwner(home), newOwner(home), startEmbedded({ home, ...fast })])
    const answers = all.map(one => ('answer' in one ? one.answer : one))
    expect(answers.filter(({ startedHere }) => startedHere)).toHaveLength(1)
    expect(new Set(answers.map(({ url }) => url)).size).toBe(1)
    const [a, b, c, here] = all
    expect((await embeddedStatus(home)).users).toHaveLength(4)
    await Promise.all([a.leave(), b.leave(), here.release()])
    expect(await query(here.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await c.leave()
    expect(await embeddedStatus(home)).toMatchObject({ running: false, users: [] })
  })

  it('survives the kill -9 of the process that started it; the next process joins it and cleans up at its end', async () => {
    const home = await newHome()
    const owner = await newOwner(home)
    await query(owner.answer.url, 'create table kept as select 1 as one')
    const pid = await pidOf(home)
    await owner.kill()
    expect(await embeddedStatus(home)).toMatchObject({ running: true, pid, users: [] })
    const next = await startEmbedded({ home, ...fast })
    expect(next).toMatchObject({ startedHere: false, url: owner.answer.url })
    expect(await query(next.url, 'select one from kept')).toEqual([{ one: 1 }])
    await next.release()
    expect((await embeddedStatus(home)).running).toBe(false)
  })

  it('ignores a lock and a user whose pid now belongs to another process', async () => {
    const home = await newHome()
    await mkdir(join(home, 'lock'), { recursive: true })
    await mkdir(join(home, 'users'))
    const reused = JSON.stringify({ pid: process.pid, started: 'long ago' })
    await writeFile(join(home, 'lock', '7'), reused)
    await writeFile(join(home, 'users', `${process.pid}-old`), reused)
    const server = await startEmbedded({ home, ...fast })
    expect((await embeddedStatus(home)).users).toEqual([process.pid])
    await server.release()
    expect((await embeddedStatus(home)).running).toBe(false)
  })
})

describe('an embedded server that was killed', () => {
  it('recovers what was committed, also if sessions were busy at the time', async () => {
    const home = await newHome()
    const server = await startEmbedded({ home })
    await query(server.url, 'create table kept as select generate_series(1, 1000) as n')
    const busy = query(server.url, `do $$ begin loop perform count(*) from kept; end loop; end $$`).catch(() => 'cut')
    process.kill(await pidOf(home), 'SIGKILL')
    const next = await startEmbedded({ home })
    expect(next).toMatchObject({ startedHere: true, url: server.url })
    expect(await busy).toBe('cut')
    expect(await query(next.url, 'select count(*)::int as n from kept')).toEqual([{ n: 1000 }])
    await next.release()
    expect((await embeddedStatus(home)).running).toBe(true)
    await server.release()
    expect((await embeddedStatus(home)).running).toBe(false)
  })

  it('starts when its pid file names a process that is now another program', async () => {
    const home = await newHome()
    const first = await startEmbedded({ home, ...fast })
    const { dataDirectory, pid } = await embeddedStatus(home)
    const pidFile = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8')
    const owner = await stat(join(dataDirectory, 'PG_VERSION'))
    await first.release()
    await writeFile(join(dataDirectory, 'postmaster.pid'), pidFile.replace(String(pid), String(process.pid)))
    await chown(join(dataDirectory, 'postmaster.pid'), owner.uid, owner.gid)
    const second = await startEmbedded({ home, ...fast })
    expect(second.startedHere).toBe(true)
    await second.release()
  })

  it('is started again on its port by a process that supervises it', async () => {
    const home = await newHome()
    const owner = await newOwner(home, { supervise: true })
    const before = await pidOf(home)
    process.kill(before, 'SIGKILL')
    await expect
      .poll(() => query(owner.answer.url, 'select 1 as one').catch(() => undefined), { timeout: 30_000 })
      .toEqual([{ one: 1 }])
    expect(await pidOf(home)).not.toBe(before)
    await owner.leave()
    expect((await embeddedStatus(home)).running).toBe(false)
  })
})

describe('an embedded server that cannot start', () => {
  it('says that the data is of another major version', async () => {
    const home = await newHome()
    await (await startEmbedded({ home, ...fast })).release()
    const { dataDirectory } = await embeddedStatus(home)
    await writeFile(join(dataDirectory, 'PG_VERSION'), '17\n')
    await expect(startEmbedded({ home })).rejects.toMatchObject({
      code: 'WRONG_VERSION',
      message: expect.stringMatching(/PostgreSQL 17.*brings PostgreSQL 18/),
    })
  })

  it('shows the end of its log when PostgreSQL refuses the settings, and leaves nothing running', async () => {
    const home = await newHome()
    const start = startEmbedded({ home, settings: { fsync: 'off', max_connections: 'many' } })
    await expect(start).rejects.toBeInstanceOf(EmbeddedServerError)
    await expect(start).rejects.toThrow(/invalid value for parameter "max_connections"/)
    expect(await embeddedStatus(home)).toMatchObject({ running: false, users: [] })
  })

  it('says that the home is a file, or that the password was lost', async () => {
    const home = await newHome()
    await writeFile(home, '')
    await expect(startEmbedded({ home })).rejects.toMatchObject({ code: 'PERMISSION' })
    await rm(home)
    await (await startEmbedded({ home, ...fast })).release()
    await rm(join(home, 'postgres.password'))
    await expect(startEmbedded({ home })).rejects.toThrow(/postgres.password is missing/)
    await writeFile(join(home, 'postgres.password'), 'wrong')
    await expect(startEmbedded({ home })).rejects.toThrow(/refuses the password/)
  })
})

describe.runIf(root)('an embedded server started by root', () => {
  const nobody = 65534

  it('runs under an ordinary account', async () => {
    const home = await newHome()
    const server = await startEmbedded({ home, ...fast })
    expect((await stat(`/proc/${await pidOf(home)}`)).uid).not.toBe(0)
    await server.release()
  })

  it('keeps its data outside a home that this account cannot reach, and removes it with the home', async () => {
    const home = await newHome(0o700)
    const server = await startEmbedded({ home, ...fast })
    const { dataDirectory } = await embeddedStatus(home)
    expect(dataDirectory.startsWith(home)).toBe(false)
    await query(server.url, 'create table kept as select 1 as one')
    await server.release()
    const again = await startEmbedded({ home, ...fast })
    expect(await query(again.url, 'select one from kept')).toEqual([{ one: 1 }])
    await again.release()
    await rm(home, { recursive: true })
    const emptied = await startEmbedded({ home, ...fast })
    await expect(query(emptied.url, 'select one from kept')).rejects.toMatchObject({ code: '42P01' })
    await emptied.release()
    await removeEmbedded(home)
    await expect(stat(dataDirectory)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  // The ordinary user has to be able to read this repository and run this node.
  const readable = (() => {
    try {
      execFileSync(process.execPath, ['-e', `require('fs').accessSync(${JSON.stringify(import.meta.filename)})`], {
        uid: nobody,
        gid: nobody,
        stdio: 'ignore',
      })
      return true
    } catch {
      return false
    }
  })()

  it.runIf(readable)('shares the server of an ordinary user, who can go on without root', async () => {
    const home = await newHome()
    await chown(join(home, '..'), nobody, nobody)
    const user = await newOwner(home, { uid: nobody })
    const here = await startEmbedded({ home, ...fast })
    expect(here).toMatchObject({ startedHere: false, url: user.answer.url })
    await user.leave()
    await here.release()
    const byRoot = await startEmbedded({ home, ...fast })
    expect((await stat(`/proc/${await pidOf(home)}`)).uid).toBe(nobody)
    await byRoot.release()
    const again = await newOwner(home, { uid: nobody })
    expect(again.answer).toMatchObject({ startedHere: true, url: user.answer.url })
    await again.leave()
  })

  it.runIf(readable)('tells an ordinary user who owns the data', async () => {
    const home = await newHome()
    await (await startEmbedded({ home, ...fast })).release()
    const user = await newOwner(home, { uid: nobody })
    expect(user.answer).toMatchObject({ code: 'PERMISSION', message: expect.stringMatching(/run commandbus as/) })
  })
})
