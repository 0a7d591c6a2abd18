import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createCommandBus, PermanentCommandError } from '../../../src/index.ts'
import { until } from '../../support/bus.ts'
import { closeAfterTest, openParts } from '../../support/eventstoredb/bus.ts'
import { fingerprint } from '../../support/fingerprint.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('K5, K6: past commands are rehearsed and payloads checked with the log in EventStoreDB, too', async () => {
  const { double, database } = await openParts()
  const bus = createCommandBus({ databaseUrl: database.url, eventStoreUrl: double.url, waitForDispatchMs: 60_000 })
  closeAfterTest(() => bus.close())
  const worker = bus.worker({
    domain: 'payments',
    pollMs: 100,
    handlers: {
      Add: data => {
        const { amount } = data as { readonly amount: number }
        if (amount === 0) throw new PermanentCommandError('NOTHING', 'nothing to add')
        return { total: amount }
      },
    },
  })
  await worker.start()
  const ids: string[] = []
  for (const amount of [1, 2, 0]) ids.push((await bus.send('payments', 'Add', { amount })).commandId)
  const ended = async () => Promise.all(ids.map(async id => (await bus.getCommand('payments', id))?.status))
  await until(ended, all => all.join() === 'COMPLETED,COMPLETED,IN_TROUBLESHOOTING_QUEUE')
  await worker.stop()
  await bus.close()

  const folder = await mkdtemp(join(tmpdir(), 'other-store-'))
  closeAfterTest(() => rm(folder, { recursive: true }))
  const module = join(folder, 'next.mjs')
  await writeFile(
    module,
    `const payload = { decode: data => data.amount > 0 ? { _tag: 'Right', right: data } : { _tag: 'Left', left: [
       { value: 0, context: [{ key: '' }, { key: 'amount', type: { name: 'more than 0' } }] }] } }
     export const handlers = { payments: { Add: { payload, rehearsable: true, handle: ({ amount }) => ({ total: amount * amount }) } } }`,
  )
  const before = [await fingerprint(database.pool), double.log.all.length]
  const run = (...args: string[]) =>
    program.run([...args, '--handlers', module, '--json'], {
      env: { DATABASE_URL: database.url, EVENTSTORE_URL: double.url },
    })
  const rehearsed = await run('rehearse', '--since', '1h')
  expect(rehearsed).toMatchObject({ code: 1, stderr: '' })
  expect(rehearsed.json()).toMatchObject({
    same: 1,
    otherResult: 2,
    groups: [
      { commandId: ids[1], what: 'result.total' },
      { commandId: ids[2], what: 'INVALID_PAYLOAD amount: expected more than 0' },
    ],
  })
  expect((await run('codecs', 'check')).json()).toMatchObject({
    checked: 3,
    refused: 1,
    faults: [{ path: 'data.amount', fault: 'expected more than 0', parked: 1, commandId: ids[2] }],
  })
  expect([await fingerprint(database.pool), double.log.all.length]).toEqual(before)
})
