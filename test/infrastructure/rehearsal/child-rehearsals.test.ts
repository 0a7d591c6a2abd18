import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createChildRehearsals } from '../../../src/infrastructure/rehearsal/child.ts'
import { createTestDatabase } from '../../support/database.ts'

/** Accepts every payload, and runs until the file that the payload names exists. */
const child = `process.once('message', task => {
  if (task.kind === 'check') process.send({ kind: 'checked', faults: [] }, () => process.exit())
  else if (task.kind === 'domains') {
    const started = require('node:fs').existsSync(process.env.MODULE)
    const known = { kind: 'known', domains: ['demo'] }
    process.send(started ? known : { kind: 'failed', message: 'there is no module' }, () => process.exit())
  }
  else {
    process.send({ kind: 'began' })
    const answer = { kind: 'succeeded', result: null, durationMs: 0 }
    const look = () =>
      require('node:fs').existsSync(task.request.command.data)
        ? process.send({ kind: 'ran', answer }, () => process.exit())
        : setTimeout(look, 20)
    look()
  }
})`

const requestOf = (tenantId: string | null, data: string) => ({
  command: {
    domain: 'payments',
    commandId: '00000000-0000-4000-8000-000000000001',
    commandType: 'Charge',
    data,
    correlationId: 'c',
    causationId: null,
    replyTo: null,
    tenantId,
    ownerId: null,
    createdAt: '2026-11-22T10:00:00.000Z',
  },
  attempt: 1,
  maxAttempts: 3,
  totalAttempts: 1,
  deadlineMs: 60_000,
})

test('G6: slow rehearsals do not delay edits of payloads, or rehearsals of other tenants', async () => {
  const database = await createTestDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'rehearsals-'))
  const end = join(folder, 'end')
  const { run, faultsOf } = createChildRehearsals({
    command: ['-e', child],
    env: process.env,
    databaseUrl: database.url,
    pool: database.pool,
    hasCodecs: true,
  })
  const ended: string[] = []
  const slow = [1, 2, 3].map(() => run(requestOf('t1', end)).finally(() => ended.push('slow')))
  await expect(run(requestOf('t1', folder))).rejects.toThrow('3 rehearsals are running')
  expect(await run(requestOf('t2', folder))).toMatchObject({ kind: 'succeeded' })
  // all rehearsal processes are busy
  slow.push(run(requestOf(null, end)).finally(() => ended.push('slow')))
  await expect(run(requestOf('t2', folder))).rejects.toThrow('4 rehearsals are running')
  expect(await faultsOf('payments', 'Charge', {}, 't1')).toEqual([])
  expect(ended).toEqual([])
  await writeFile(end, '')
  await Promise.all(slow)
  await rm(folder, { recursive: true })
  await database.drop()
})

test('the domains that can be rehearsed are asked of the process with the handlers, once it can be started', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rehearsals-'))
  const module = join(folder, 'module')
  const { domains } = createChildRehearsals({
    command: ['-e', child],
    env: { ...process.env, MODULE: module },
    databaseUrl: 'postgresql://nowhere',
    pool: null as never,
    hasCodecs: true,
  })
  await expect(domains()).rejects.toThrow('the handlers could not be loaded for rehearsals: there is no module')
  await writeFile(module, '')
  expect(await domains()).toEqual(['demo'])
  await rm(folder, { recursive: true })
  expect(await domains()).toEqual(['demo'])
})
