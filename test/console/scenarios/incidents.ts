import { describe, test } from 'vitest'
import { PermanentCommandError, TransientCommandError, type WorkerOptions } from '../../../src/index.ts'
import type { useProgram } from '../../support/servers/cli.ts'
import { openDay } from '../day.ts'
import type { Stage } from '../stage.ts'

type Handlers = WorkerOptions['handlers']

/** What payments call, and whether it answers. */
const provider = { isUp: true }

const pay = () => {
  if (!provider.isUp) throw new TransientCommandError('UPSTREAM_503', 'the provider answered 503')
  return { paid: true }
}

const payments: Handlers = {
  Charge: pay,
  Refund: pay,
  Import: () => {
    throw new PermanentCommandError('INVALID_FILE', 'line 1 is not JSON')
  },
}

/** A deployment that has not thought of payments without a card. */
const badDeployment: Handlers = {
  ...payments,
  Charge: (data: unknown) => ({ last: (data as { card: { number: string } }).card.number.slice(-4) }),
}

const replyTo = 'shop__replies'
const WELL = 'All is well.'

export const incidents = (stage: Stage, program: ReturnType<typeof useProgram>): void => {
  describe('a day of incidents', () => {
    test('O8: the sentence says what is broken, since when, how much and whether it gets worse, until it is over', async () => {
      const { bus, work, send, settled, passes, mark, says } = await openDay(stage, program)
      const readReplies = async () => {
        const reader = await bus.replies(replyTo).run(() => undefined, { pollMs: 20 })
        await says(WELL)
        await reader.stop()
      }
      const usual = async () => {
        await send('payments', 'Charge', 3, { data: { card: { number: '4242' } } })
        await send('payments', 'Refund', 3)
        await send('inventory', 'Count', 2)
        await settled()
      }
      const retryAll = async () => {
        const { items } = await bus.troubleshooting.list()
        for (const { domain, commandId } of items)
          await bus.troubleshooting.retry(domain, commandId, { operator: 'jane' })
        await settled()
      }
      const counting = { domain: 'inventory', handlers: { Count: () => null } }
      const inventory = await work(counting)
      const paying = await work({ domain: 'payments', build: 'a', handlers: payments })
      await send('payments', 'Charge', 1, { replyTo })
      await usual()
      await readReplies()
      await passes(180)
      await usual()
      await says(WELL)

      const noWorker = mark()
      await inventory.stop()
      await send('inventory', 'Count', 7)
      await says('1 problem: no worker for inventory since {since} (7 wait, rises).', noWorker)
      await passes(20)
      await says('1 problem: no worker for inventory since {since} (7 wait, steady).', noWorker)
      await work(counting)
      await settled()
      await says(WELL)

      await passes(2)
      const down = mark()
      provider.isUp = false
      await send('payments', 'Charge', 4)
      await send('payments', 'Refund', 2)
      await settled()
      const nothing = '1 problem: nothing succeeds in payments since {since}: UPSTREAM_503, which is new'
      await says(`${nothing} (12 in 10 min, rises).`, down)
      await passes(12)
      await send('payments', 'Charge', 2)
      await settled()
      await says(`${nothing} (4 in 10 min, falls).`, down)
      provider.isUp = true
      await retryAll()
      await passes(6)
      await says(WELL)

      const deployed = mark()
      await paying.stop()
      const bad = await work({ domain: 'payments', build: 'b', handlers: badDeployment })
      await send('payments', 'Charge', 3)
      await settled()
      await usual()
      await says('1 problem: TypeError in Charge of payments is new since {since} (6 in 10 min, rises).', deployed)
      await bad.stop()
      await work({ domain: 'payments', build: 'a', handlers: payments })
      await retryAll()
      await passes(9)
      await says(WELL)

      const poisoned = mark()
      await send('payments', 'Import', 4)
      await settled()
      await usual()
      const every = '1 problem: every Import of payments fails since {since}: INVALID_FILE, which is new'
      await says(`${every} (4 in 10 min, rises).`, poisoned)
      await passes(16)
      await says('Nothing fails now; 4 commands in troubleshooting wait for a decision.')
      for (const { domain, commandId } of (await bus.troubleshooting.list()).items)
        await bus.troubleshooting.cancel(domain, commandId, { operator: 'jane', reason: 'not a file' })
      await says(WELL)

      const unread = mark()
      await send('payments', 'Refund', 3, { replyTo })
      await settled()
      await says(WELL)
      await passes(11)
      await says('1 problem: replies in shop__replies unread since {since} (3 wait, rises).', unread)
      await readReplies()
    })
  })
}
