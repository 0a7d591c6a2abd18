import { expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('G5: tsq list shows the size and beginning of a large payload, and where to see the whole', async () => {
  const setup = await createTestBus()
  const on = { env: { DATABASE_URL: setup.database.url } }
  const data = { text: 'x'.repeat(100_000) }
  const id = await parked(setup, 'payments', data)
  const list = await program.run(['tsq', 'list'], on)
  expect(list).toMatchObject({ code: 0, stderr: '' })
  expect(list.stdout.length).toBeLessThan(2_000)
  expect(list.stdout).toMatch(/\(1000\d\d bytes\) \{"text": ?"xxx/)
  expect(list.stdout).toContain(`To see a complete one: commandbus show ${id} --domain payments`)
  const json = await program.run(['tsq', 'list', '--json'], on)
  expect(json.stdout.length).toBeLessThan(3_000)
  expect(json.json().items).toMatchObject([{ commandId: id, payload: null, payloadPreview: expect.any(String) }])
  const then = await program.run(['tsq', 'list', '--at', new Date().toISOString()], on)
  expect(then.stdout).toContain(`To see a complete one: commandbus show ${id} --domain payments`)
  expect((await program.run(['show', id, '--domain', 'payments', '--json'], on)).json().data).toEqual(data)
  // a history that is not sent anywhere has it whole at every step
  const replay = (await program.run(['replay', id, '--json'], on)).json()
  expect(replay.items?.[0]).toMatchObject({ state: { data } })
})
