import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { createTestBus, type TestBus } from '../../support/bus.ts'
import { fingerprint } from '../../support/fingerprint.ts'
import { parked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
const on = ({ database }: TestBus) => ({ env: { DATABASE_URL: database.url } })
let module = ''

beforeAll(async () => {
  module = join(program.directory, 'rehearsed.mjs')
  await writeFile(
    module,
    `const number = { decode: data => typeof data?.amount === 'number'
       ? { _tag: 'Right', right: data }
       : { _tag: 'Left', left: [{ value: 0, context: [{ key: '' }, { key: 'amount', type: { name: 'number' } }] }] } }
     const act = {
       fine: () => ({ charged: true }),
       crash: () => process.kill(process.pid, 'SIGKILL'),
       exit: () => process.exit(0),
       throwLater: () => new Promise(() => setTimeout(() => { throw new Error('late') })),
       spin: () => { for (;;) {} },
     }
     export const handlers = { payments: { Charge: {
       payload: number, transactional: true, rehearsable: true,
       handle: async (data, { client }) => {
         await client.query("create table trace (x int)")
         return act[data.act ?? 'fine']()
       },
     } } }`,
  )
})

test('a rehearsal ends with the process that started it, also when its handler never ends', async () => {
  const setup = await createTestBus()
  const id = await parked(setup, 'payments', { amount: 5 })
  const data = JSON.stringify({ amount: 1, act: 'spin' })
  const asking = program.launch(['rehearse', id, '--handlers', module, '--timeout', '60000', '--data', data], on(setup))
  const rehearsals = async () => {
    const sql = `select 1 from pg_stat_activity where application_name like 'commandbus rehearsal%' and query like 'create table%'
                 and datname = current_database()`
    return (await setup.pool.query(sql)).rows.length
  }
  await setup.until(rehearsals, count => count === 1)
  asking.kill('SIGKILL')
  await setup.until(rehearsals, count => count === 0)
})

test('rehearse runs a handler in a separate process, survives its crash, and changes nothing', async () => {
  const setup = await createTestBus()
  const id = await parked(setup, 'payments', { amount: 5 })
  const before = await fingerprint(setup.pool)
  const rehearse = (...flags: string[]) => program.run(['rehearse', id, '--handlers', module, ...flags], on(setup))
  const edited = (act: string) => ['--data', JSON.stringify({ amount: 1, act }), '--json']

  const fine = await rehearse()
  expect(fine).toMatchObject({ code: 0, stderr: '' })
  expect(fine.stdout).toMatch(/Outcome +SUCCESS\nWould be +COMPLETED\n[\s\S]*"charged": true[\s\S]*nothing has changed/)
  for (const act of ['crash', 'exit', 'throwLater']) {
    const answer = await rehearse(...edited(act))
    expect(answer.code).toBe(1)
    expect(answer.json()).toMatchObject({ outcome: 'CRASHED', wouldBe: null, rolledBack: true, commandId: id })
  }
  const spin = await rehearse(...edited('spin'), '--timeout', '100')
  expect(spin.json()).toMatchObject({ outcome: 'TIMEOUT', error: { code: 'REHEARSAL_TIMEOUT' } })
  const misfit = await rehearse('--data', '{"amount": "x"}', '--json')
  expect(misfit).toMatchObject({ code: 2 })
  expect(misfit.json().error.message).toContain('data.amount: expected number')
  const demo = await program.run(['rehearse', id, '--json'], on(setup))
  expect(demo.json().error.message).toContain("no handler of domain 'payments'")
  expect(await program.run(['rehearse', id, '--handlers', './nowhere.js'], on(setup))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('nowhere.js'),
  })
  expect(await program.run(['rehearsal', '--demo'], on(setup))).toMatchObject({ code: 2 })
  expect(await fingerprint(setup.pool)).toEqual(before)
})
