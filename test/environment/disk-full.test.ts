import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterEach, expect, inject, test } from 'vitest'
import { createCommandBus } from '../../src/index.ts'

const run = promisify(execFile)
const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** A small separate disk for the server; null if this account or the server cannot have one. */
const smallDisk = async (admin: pg.Client): Promise<string | null> => {
  const { rows } = await admin.query<{ data_directory: string }>('show data_directory')
  const owner = await stat(rows[0]?.data_directory ?? '').catch(() => null)
  if (process.getuid?.() !== 0 || owner === null) return null
  const place = await mkdtemp(join(tmpdir(), 'commandbus-disk-'))
  cleanUps.push(() => rm(place, { recursive: true }))
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', place]).catch(() => null)
  if (mounted === null) return null
  cleanUps.push(() => run('umount', [place]))
  await chown(place, owner.uid, owner.gid)
  return place
}

const databaseOn = async (admin: pg.Client, place: string): Promise<string> => {
  const name = `commandbus_disk_${process.pid}_${randomBytes(4).toString('hex')}`
  await admin.query(`create tablespace ${name} location '${place}'`)
  cleanUps.push(() => admin.query(`drop tablespace ${name}`))
  await admin.query(`create database ${name} template ${inject('templateDatabase')} tablespace ${name}`)
  cleanUps.push(() => admin.query(`drop database ${name} with (force)`))
  const url = new URL(inject('serverUrl'))
  url.pathname = `/${name}`
  return url.href
}

/** Fills the disk completely. */
const fill = async (client: pg.Client): Promise<void> => {
  await client.query('create table filler (block text)')
  await client.query('alter table filler alter column block set storage plain')
  const full = client.query("insert into filler select repeat('x', 8000) from generate_series(1, 100000)")
  await expect(full).rejects.toMatchObject({ code: '53100' })
}

/** Half a megabyte that does not compress. */
const large = () => ({ text: randomBytes(250_000).toString('hex') })

test('R11: on a full disk a send says so and writes nothing, an outcome waits, and all goes on when there is room', async context => {
  const admin = new pg.Client(inject('serverUrl'))
  await admin.connect()
  cleanUps.push(() => admin.end())
  const place = await smallDisk(admin)
  if (place === null)
    return context.skip('a disk of its own needs root, the right to mount, and a server on this machine')
  const databaseUrl = await databaseOn(admin, place)
  const client = new pg.Client(databaseUrl)
  client.on('error', () => undefined)
  await client.connect()
  cleanUps.push(() => client.end().catch(() => undefined))
  const bus = createCommandBus({ databaseUrl })
  cleanUps.push(() => bus.close())

  let finish: (result: unknown) => void = () => {}
  const result = large()
  const returned = new Promise<unknown>(resolve => {
    finish = resolve
  })
  let attempts = 0
  const worker = bus.worker({
    domain: 'payments',
    pollMs: 100,
    handlers: {
      Charge: () => {
        attempts++
        return returned
      },
    },
  })
  await worker.start()
  const { commandId } = await bus.send('payments', 'Charge', {})
  await expect.poll(() => bus.getCommand('payments', commandId), { timeout: 60_000 }).toMatchObject({ attempts: 1 })

  await fill(client)
  const refused = bus.send('payments', 'Other', large(), { commandId: '11111111-1111-4111-8111-111111111111' })
  await expect(refused).rejects.toThrow('no disk space left: free some, then try again; nothing was written')
  expect(await bus.getCommand('payments', '11111111-1111-4111-8111-111111111111')).toBeNull()
  finish(result)
  await expect.poll(() => worker.health().reasons.join(), { timeout: 60_000 }).toMatch('outcomes could not be recorded')

  await client.query('drop table filler')
  await expect
    .poll(() => bus.getCommand('payments', commandId), { timeout: 60_000 })
    .toMatchObject({ status: 'COMPLETED', result, attempts: 1 })
  await expect.poll(() => worker.health().status, { timeout: 60_000 }).toBe('healthy')
  expect(attempts).toBe(1)
})
