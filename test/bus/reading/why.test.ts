import { expect, test } from 'vitest'
import { BusinessRuleError, PermanentCommandError, TransientCommandError } from '../../../src/index.ts'
import { createTestBus, signal } from '../../support/bus.ts'
import { isParked } from '../../support/park.ts'

const declined = () => {
  throw new PermanentCommandError('DECLINED', 'the card was declined')
}
const refused = () => {
  throw new PermanentCommandError('DECLINED', 'the bank refused it')
}

test('O4: one code that is thrown at two places is two causes, which can be listed and retried apart', async () => {
  const { bus, pool, work, until } = await createTestBus()
  await bus.sendBatch(
    'payments',
    [0, 1, 2].map(i => ({ commandType: 'Charge', data: i })),
  )
  const worker = await work({ domain: 'payments', handlers: { Charge: data => (data === 2 ? refused() : declined()) } })
  await until(
    () => bus.troubleshooting.list(),
    ({ total }) => total === 3,
  )
  await worker.stop()
  const groups = await bus.troubleshooting.groups()
  expect(groups).toMatchObject([
    {
      errorCode: 'DECLINED',
      count: 2,
      frame: expect.stringMatching(/^test\/bus\/reading\/why\.test\.ts:\d+ in declined$/),
    },
    { errorCode: 'DECLINED', count: 1, frame: expect.stringMatching(/why\.test\.ts:\d+ in refused$/) },
  ])
  const frame = groups[1]?.frame ?? ''
  expect(await bus.troubleshooting.list({ frame })).toMatchObject({ total: 1, items: [{ payload: 2 }] })
  expect((await bus.troubleshooting.list({ frame: 'none' })).total).toBe(0)
  expect((await bus.troubleshooting.listAt({ frame })).items).toMatchObject([{ payload: 2 }])
  expect(await bus.troubleshooting.groups({ byFrame: false })).toMatchObject([{ count: 3, frame: null }])
  const plan = await bus.actions.dryRun({ action: 'retry', filter: { errorCode: 'DECLINED', frame }, operator: 'jane' })
  expect(plan.total).toBe(1)
  const { id } = await bus.actions
    .start({ action: 'retry', filter: { frame }, operator: 'jane' })
    .then(found => ({ id: found.actionId }))
  await bus.actions.runOne(id)
  expect((await bus.troubleshooting.groups()).map(({ count }) => count)).toEqual([2])

  // an error without a place replaces the place of an earlier one
  await work({ domain: 'payments', handlers: {} })
  await until(
    () => bus.troubleshooting.groups(),
    found => found.length === 2,
  )
  expect(await bus.troubleshooting.list({ frame: 'none' })).toMatchObject({
    total: 1,
    items: [{ lastErrorCode: 'NO_HANDLER' }],
  })
  const rows = await pool.query('select to_jsonb(c) as row from command_bus_command c order by command_id')
  await bus.maintenance.rebuild()
  expect((await pool.query('select to_jsonb(c) as row from command_bus_command c order by command_id')).rows).toEqual(
    rows.rows,
  )
  expect(await bus.maintenance.verify()).toEqual([])
})

test('O4: the attempts of a command: when they were due, how long they ran, who ran them, and why they failed', async () => {
  const { bus, work, until } = await createTestBus()
  let tries = 0
  const worker = await work({
    domain: 'payments',
    handlers: {
      Charge: () => {
        tries++
        if (tries === 1) throw new TransientCommandError('BUSY', 'try later')
        if (tries === 2) declined()
        return 'done'
      },
      Refuse: () => {
        throw new BusinessRuleError('LIMIT', 'too much')
      },
    },
  })
  const { commandId } = await bus.send('payments', 'Charge', {}, { maxAttempts: 3, backoffSeconds: [0] })
  await until(() => bus.getCommand('payments', commandId), isParked)
  await bus.troubleshooting.retry('payments', commandId, { operator: 'jane' })
  await until(
    () => bus.getCommand('payments', commandId),
    command => command?.status === 'COMPLETED',
  )
  const attempts = await bus.getAttempts('payments', commandId)
  expect(attempts).toMatchObject([
    { round: 1, attempt: 1, outcome: 'FAILED', error: { code: 'BUSY' }, retryAt: expect.any(String) },
    {
      round: 1,
      attempt: 2,
      outcome: 'PARKED',
      error: { code: 'DECLINED', stack: expect.stringContaining('why.test.ts') },
      retryAt: null,
    },
    { round: 2, attempt: 1, outcome: 'COMPLETED', error: null },
  ])
  const trail = await bus.getAuditTrail('payments', commandId)
  const actor = trail.find(({ eventType }) => eventType === 'RECEIVED')?.actor
  for (const { worker: by, dueAt, startedAt, endedAt, waitedMs, ranMs } of attempts) {
    expect(`worker:${by}`).toBe(actor)
    expect(startedAt !== null && endedAt !== null && startedAt <= endedAt).toBe(true)
    expect(waitedMs).toBe(Math.max(0, Date.parse(startedAt ?? '') - Date.parse(dueAt)))
    expect(ranMs).toBe(Date.parse(endedAt ?? '') - Date.parse(startedAt ?? ''))
  }
  expect(attempts[1]?.dueAt).toBe(attempts[0]?.retryAt)
  const other = (await bus.send('payments', 'Refuse', {})).commandId
  await until(
    () => bus.getCommand('payments', other),
    command => command?.status === 'FAILED',
  )
  expect(await bus.getAttempts('payments', other)).toMatchObject([{ outcome: 'REJECTED', error: { code: 'LIMIT' } }])
  await worker.stop()
  await expect(bus.getAttempts('payments', '00000000-0000-4000-8000-00000000dead')).rejects.toMatchObject({
    code: 'COMMAND_NOT_FOUND',
  })
})

test('O4: an attempt that runs has no end; one that an operator ended says so; one whose worker died is lost', async () => {
  const { bus, pool, work, until } = await createTestBus()
  const begun = signal()
  const stop = signal()
  const { commandId } = await bus.send('payments', 'Charge', {})
  // a worker that read the message and died
  await pool.query(`select pgmq.read('payments__commands', 0, 1)`)
  await work({
    domain: 'payments',
    handlers: {
      Charge: async () => {
        begun.resolve()
        await stop.promise
      },
    },
  })
  await begun.promise
  await until(
    () => bus.getCommand('payments', commandId),
    command => command?.status === 'IN_PROGRESS',
  )
  expect(await bus.getAttempts('payments', commandId)).toMatchObject([
    { attempt: 1, outcome: 'LOST', worker: null, startedAt: null, endedAt: null },
    { attempt: 2, outcome: 'RUNNING', worker: expect.any(String), endedAt: null, ranMs: null },
  ])
  await bus.troubleshooting.endAttempt('payments', commandId, { operator: 'jane', reason: 'it hangs' })
  expect((await bus.getAttempts('payments', commandId))[1]).toMatchObject({
    outcome: 'ENDED',
    error: { code: 'ATTEMPT_ENDED' },
    ranMs: expect.any(Number),
  })
  stop.resolve()
})

test('O4: explain finds on a real database what the failed have in common, and nothing where there is nothing', async () => {
  const { bus, work, until } = await createTestBus()
  const countries = ['NO', 'SE', 'DK', 'FI', 'IT']
  const commands = Array.from({ length: 900 }, (_, i) => ({
    commandType: i % 3 === 2 ? 'Refund' : 'Charge',
    data: { orderId: `o-${i}`, password: i % 5 === 4 ? 'a' : 'b', customer: { country: countries[i % 5] } },
    tenantId: i % 2 === 0 ? 'acme' : 'borg',
    maxAttempts: 1,
  }))
  await bus.sendBatch('payments', commands)
  const fail = (data: unknown, type: string) => {
    const { orderId, customer } = data as { orderId: string; customer: { country: string } }
    if (type === 'Charge' ? customer.country === 'IT' : Number(orderId.slice(2)) % 7 === 0) declined()
  }
  await work({
    domain: 'payments',
    concurrency: 50,
    handlers: { Charge: data => fail(data, 'Charge'), Refund: data => fail(data, 'Refund') },
  })
  await until(
    () => bus.queryCommands({ status: 'PENDING', limit: 1 }),
    ({ items }) => items.length === 0,
  )
  await until(
    () => bus.queryCommands({ status: 'IN_PROGRESS', limit: 1 }),
    ({ items }) => items.length === 0,
  )
  const cause = { domain: 'payments', commandType: 'Charge', errorCode: 'DECLINED' }
  const explained = await bus.troubleshooting.explain(cause)
  expect(explained).toMatchObject({
    failed: 120,
    succeeded: 480,
    findings: [
      {
        kind: 'value',
        path: 'customer.country',
        value: 'IT',
        failedShare: 1,
        succeededShare: 0,
        sentence: 'customer.country is "IT" in all of the failed commands, and in none of the succeeded ones.',
      },
    ],
  })
  expect(explained.findings.map(({ path }) => path)).not.toContain('password')
  expect(await bus.troubleshooting.explain({ ...cause, commandType: 'Refund' })).toMatchObject({ findings: [] })
  expect(await bus.troubleshooting.explain({ ...cause, frame: 'none' })).toEqual({
    failed: 0,
    succeeded: 0,
    findings: [],
  })
  expect(await bus.troubleshooting.explain({ ...cause, tenantId: 'acme' })).toMatchObject({
    failed: 60,
    succeeded: 240,
  })
  await expect(bus.troubleshooting.explain({ ...cause, domain: 'No Domain' })).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
  })
})
