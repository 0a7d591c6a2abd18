import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, cp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { collect } from '../support/servers/cli.ts'
import { eventually } from '../support/servers/service.ts'
import { type Packed, pack, repository, succeed } from './consumer.ts'

/** It downloads two frameworks and builds with them: `npm run test:package` sets the flag. */
const asked = process.env.COMMANDBUS_TEST_PACKAGE === '1'

const next = 'node_modules/next/dist/bin/next'
const idOf = (n: number): string => `5f0c2a7e-0000-4000-8000-${String(n).padStart(12, '0')}`
type Answer = { readonly [member: string]: unknown }
const card = { number: '4111111111111111' }
const ann = { 'x-user': 'ann', 'x-tenant': 'acme' }

describe.skipIf(!asked)('K8: in a framework (skipped without COMMANDBUS_TEST_PACKAGE=1)', () => {
  let packed: Packed
  let database: TestDatabase

  beforeAll(async () => {
    packed = await pack()
    database = await createTestDatabase()
  }, 400_000)
  afterAll(async () => {
    await database?.drop()
    await packed?.remove()
  })

  /** The example as the package has it, with the packages of its lock and the package itself. */
  const installed = async (name: string): Promise<string> => {
    const place = join(dirname(packed.directory), name)
    await cp(join(packed.directory, 'examples', name), place, { recursive: true })
    await cp(join(repository, 'examples', name, 'package-lock.json'), join(place, 'package-lock.json'))
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund']
    await succeed('npm', ['ci', ...quiet], place)
    await succeed('npm', ['install', '--no-save', ...quiet, packed.tarball], place)
    return place
  }

  /** Starts a program of an example in a group of processes of its own, and waits until it says that it is ready. */
  const start = async (place: string, args: readonly string[], ready: RegExp) => {
    const { PATH, HOME } = process.env
    const env = { PATH, HOME, TMPDIR: tmpdir(), DATABASE_URL: database.url, PORT: '0', NEXT_TELEMETRY_DISABLED: '1' }
    const child = spawn(process.execPath, args, { cwd: place, env, detached: true })
    const group = -Number(child.pid)
    const output = collect(child)
    const ended = once(child, 'close')
    const found = await eventually(
      () => ready.exec(output.stdout),
      match => match !== null || child.exitCode !== null,
    )
    if (found === null) throw new Error(`${args.join(' ')} did not start: ${output.stdout}${output.stderr}`)
    return {
      found: found[1] ?? '',
      output,
      /** How it ends at SIGTERM; fails when it leaves a process behind. */
      stop: async () => {
        child.kill('SIGTERM')
        const how = await ended
        expect(() => process.kill(group, 0)).toThrow('ESRCH')
        return how
      },
      kill: () => {
        try {
          process.kill(group, 'SIGKILL')
        } catch {
          // it has ended
        }
      },
    }
  }

  const connections = async (): Promise<number> => {
    const { rows } = await database.pool.query(
      `select count(*)::int from pg_stat_activity where datname = current_database() and application_name like 'commandbus%'`,
    )
    return rows[0].count
  }

  const calls = (address: string) => {
    const call = async (method: string, id: string, body?: unknown, headers: Record<string, string> = ann) => {
      const answer = await fetch(`${address}/${id}`, {
        method,
        headers: { ...headers, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: answer.status, body: (await answer.json()) as Answer }
    }
    const ends = (id: string, status: string) =>
      eventually(
        () => call('GET', id),
        ({ body }) => body.status === status,
      )
    return { call, ends }
  }

  /** What routes and worker of both examples do; `from` is the first of the ids. */
  const walk = async (address: string, from: number) => {
    const { call, ends } = calls(address)
    const [id, large, unknown] = [idOf(from), idOf(from + 1), idOf(from + 2)]
    const accepted = { status: 202, body: { id } }
    const puts = [1, 2, 3].map(() => call('PUT', id, { amount: 25, card }))
    expect(await Promise.all(puts)).toEqual([accepted, accepted, accepted])
    const done = { id, status: 'COMPLETED', result: { charged: 25, card: '1111' } }
    expect((await ends(id, 'COMPLETED')).body).toEqual(done)
    await call('PUT', large, { amount: 100_000, card })
    const limit = { error: 'LIMIT_EXCEEDED', message: 'the card has a limit of 5000' }
    expect((await ends(large, 'FAILED')).body).toEqual({ id: large, status: 'FAILED', result: null, ...limit })

    const unfit = await call('PUT', unknown, { amount: -1, card: { number: 'SECRET-4111' } })
    expect(unfit).toMatchObject({ status: 422, body: { error: 'INVALID_REQUEST', faults: expect.any(Array) } })
    expect(unfit.body.faults).toHaveLength(2)
    expect(JSON.stringify(unfit)).not.toContain('SECRET')
    expect(await call('PUT', 'no-uuid', { amount: 25, card })).toMatchObject({ status: 422 })
    expect(await call('GET', unknown)).toMatchObject({ status: 404, body: { error: 'COMMAND_NOT_FOUND' } })
    const other = { ...ann, 'x-tenant': 'other' }
    expect(await call('GET', id, undefined, other)).toMatchObject({ status: 404 })
    const taken = await call('PUT', id, { amount: 25, card }, other)
    expect(taken).toMatchObject({ status: 409, body: { error: 'COMMAND_ID_TAKEN' } })
    expect(await call('GET', id, undefined, {})).toMatchObject({ status: 401 })
    const { rows } = await database.pool.query(
      `select total_attempts from command_bus_command where command_id in ($1, $2, $3)`,
      [id, large, unknown],
    )
    expect(rows).toEqual([{ total_attempts: 1 }, { total_attempts: 1 }])
  }

  /** What a handler needs of the application: slow, and of no use once its module is destroyed. */
  const slowLimits = `
    import { Injectable, type OnModuleDestroy } from '@nestjs/common'
    import { setTimeout as delay } from 'node:timers/promises'
    @Injectable()
    export class CardLimits implements OnModuleDestroy {
      private isOpen = true
      onModuleDestroy() { this.isOpen = false }
      async limitOf(_card: string) {
        const stopping = new Promise(resolve => process.once('SIGTERM', resolve))
        console.log('handling')
        await stopping
        await delay(300)
        return this.isOpen ? 5000 : 0
      }
    }`

  test('K8: the NestJS example compiles to CommonJS and to ES modules, answers, works, and lets handlers end at SIGTERM', async () => {
    const place = await installed('nestjs')
    const main = ['dist/main.js']
    const listening = /listening on (\S+)/
    await succeed('npm', ['run', 'build'], place)
    expect(await readFile(join(place, 'dist/main.js'), 'utf8')).toContain('require("@nestjs/core")')
    const first = await start(place, main, listening)
    try {
      await walk(`${first.found}/charges`, 100)
      expect(await first.stop()).toEqual([null, 'SIGTERM'])
      expect(first.output.stderr).toBe('')
      await eventually(connections, count => count === 0)
    } finally {
      first.kill()
    }

    const manifest = JSON.parse(await readFile(join(place, 'package.json'), 'utf8'))
    await writeFile(join(place, 'package.json'), JSON.stringify({ ...manifest, type: 'module' }))
    await writeFile(join(place, 'src/charges/card-limits.ts'), slowLimits)
    await succeed('npm', ['run', 'build'], place)
    expect(await readFile(join(place, 'dist/main.js'), 'utf8')).toContain("from '@nestjs/core'")
    const second = await start(place, main, listening)
    try {
      await calls(`${second.found}/charges`).call('PUT', idOf(200), { amount: 25, card })
      await eventually(
        () => second.output.stdout,
        text => text.includes('handling'),
      )
      expect(await second.stop()).toEqual([null, 'SIGTERM'])
      const sql = 'select status, total_attempts from command_bus_command where command_id = $1'
      const { rows } = await database.pool.query(sql, [idOf(200)])
      expect(rows).toEqual([{ status: 'COMPLETED', total_attempts: 1 }])
    } finally {
      second.kill()
    }
  }, 400_000)

  test('K8: the Next.js example builds, answers, has its worker beside it, and keeps one bus over hot reload', async () => {
    const place = await installed('nextjs')
    const config = await readFile(join(place, 'tsconfig.json'), 'utf8')
    const development = await start(place, [next, 'dev', '-p', '0'], /Local:\s+(\S+)[\s\S]*Ready/)
    try {
      const { call } = calls(`${development.found}/api/charges`)
      expect(await call('PUT', idOf(300), { amount: 25, card })).toMatchObject({ status: 202 })
      const before = await connections()
      expect(before).toBeGreaterThan(0)
      await appendFile(join(place, 'lib/bus.ts'), '// changed\n')
      const answer = join(place, 'lib/answer.ts')
      await writeFile(answer, (await readFile(answer, 'utf8')).replace('say who you are', 'who are you?'))
      await eventually(
        () => call('GET', idOf(300), undefined, {}),
        ({ body }) => body.message === 'who are you?',
      )
      expect(await call('PUT', idOf(301), { amount: 25, card })).toMatchObject({ status: 202 })
      // an error of the bus that was made before the change is one of the class that was loaded after it
      expect(await call('GET', idOf(399))).toMatchObject({ status: 404 })
      expect(await connections()).toBeLessThanOrEqual(before)
    } finally {
      development.kill()
    }

    await succeed('npm', ['run', 'build'], place, { NEXT_TELEMETRY_DISABLED: '1' })
    // what `next build` would write into it stands in it
    expect(await readFile(join(place, 'tsconfig.json'), 'utf8')).toBe(config)
    const [routes, worker] = await Promise.all([
      start(place, [next, 'start', '-p', '0'], /Local:\s+(\S+)[\s\S]*Ready/),
      start(place, ['dist/worker.js'], /(working)/),
    ])
    try {
      await walk(`${routes.found}/api/charges`, 400)
      await routes.stop()
      expect(await worker.stop()).toEqual([0, null])
      expect([routes.output.stderr, worker.output.stderr]).toEqual(['', ''])
      await eventually(connections, count => count === 0)
    } finally {
      routes.kill()
      worker.kill()
    }
  }, 600_000)
})
