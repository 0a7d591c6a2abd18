import { expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { fingerprint } from '../../support/fingerprint.ts'
import { parked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('--dry-run shows what an action would do to one command and to many, and changes nothing', async () => {
  const setup = await createTestBus()
  const id = await parked(setup, 'payments', { amount: 5 }, { replyTo: 'shop__replies' })
  const before = await fingerprint(setup.pool)
  const tsq = (...args: string[]) =>
    program.run(['tsq', ...args, '--dry-run', '--operator', 'jane'], { env: { DATABASE_URL: setup.database.url } })
  const retry = await tsq('retry', id, '--data', '{"amount": 6}')
  expect(retry).toMatchObject({ code: 0, stderr: '' })
  expect(retry.stdout).toMatch(
    /would go from IN_TROUBLESHOOTING_QUEUE to PENDING \(OPERATOR_RETRY\):\n[\s\S]*data.amount: 5 -> 6\n[\s\S]*a message to payments__commands: {"amount":6}\nNothing was done/,
  )
  expect((await tsq('cancel', id, '--reason', 'gone')).stdout).toMatch(/a reply to shop__replies: .*"reason":"gone"/)
  expect((await tsq('complete', id, '--reason', 'x', '--json')).json()).toMatchObject({
    status: 'COMPLETED',
    dryRun: { to: 'COMPLETED' },
  })
  const many = await tsq('cancel', '--error-code', 'CARD_DECLINED', '--reason', 'gone')
  expect(many.stdout).toMatch(/^Would cancel 1 of 1; 0 blocked.\n {2}1 reply to shop__replies\n[\s\S]*Nothing was done/)
  expect((await tsq('retry', '--all', '--json')).json()).toMatchObject({ action: 'retry', would: 1 })
  expect(await fingerprint(setup.pool)).toEqual(before)
})
