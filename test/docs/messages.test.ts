import { expect, test } from 'vitest'
import { createTestBus } from '../support/bus.ts'
import { useProgram } from '../support/servers/cli.ts'
import { eventually } from '../support/servers/service.ts'
import { blocksOf, readPages } from './pages.ts'

const program = useProgram()

test('K8: a sender and a reader of replies that know only SQL do what docs/messages.md says', async () => {
  const page = (await readPages()).find(({ path }) => path === 'docs/messages.md')
  if (page === undefined) throw new Error('the page is missing')
  const codeOf = (wanted: string) => blocksOf(page).flatMap(({ language, code }) => (language === wanted ? [code] : []))
  const [send = '', read = '', remove = '', look = ''] = codeOf('sql')
  const { bus, pool, database } = await createTestBus()
  const [queues = ''] = codeOf('sh')
  const args = queues.trim().replace('npx commandbus ', '').split(' ')
  expect(await program.run(args, { env: { DATABASE_URL: database.url } })).toMatchObject({ code: 0, stderr: '' })

  await pool.query(send)
  const [messages] = (await pool.query(look)) as never as readonly { readonly rows: readonly object[] }[]
  expect(messages?.rows).toEqual([expect.objectContaining({ read_ct: 0, type: 'Charge' })])

  const charged: unknown[] = []
  const handle = async (data: unknown) => {
    charged.push(data)
    return { charged: true }
  }
  await bus.worker({ domain: 'billing', adoptStrangers: true, handlers: { Charge: handle } }).start()
  const { rows } = await eventually(
    () => pool.query(read),
    answer => answer.rowCount === 1,
  )
  const commandId = '9f1c2d3e-0000-4000-8000-000000000007'
  expect(charged).toEqual([{ invoice: 7, amount: 25 }])
  expect(rows).toEqual([
    {
      msg_id: expect.anything(),
      message: {
        command_id: commandId,
        correlation_id: 'invoice-7',
        domain: 'billing',
        type: 'ChargeResponse',
        outcome: 'SUCCESS',
        completed_at: expect.stringMatching(/^\d{4}-.*Z$/),
        data: { charged: true },
        result: { charged: true },
      },
    },
  ])
  await pool.query(remove)
  expect((await pool.query('select from pgmq.q_shop__replies')).rowCount).toBe(0)

  // the same id again does not run: it is kept, with the reason
  await pool.query(`select pgmq.send('billing__commands', '{"command_id": "${commandId}", "command_type": "Charge"}')`)
  const kept = await eventually(
    () => bus.strangers.list({ domain: 'billing' }),
    ({ items }) => items.length === 1,
  )
  expect([kept.items.length, charged.length]).toEqual([1, 1])
})
