import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createTestBus, type TestBus } from '../../support/bus.ts'
import { OF_THIS_DATABASE } from '../../support/database.ts'
import { fingerprint } from '../../support/fingerprint.ts'
import { parked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
const on = ({ database }: TestBus) => ({ env: { DATABASE_URL: database.url } })
const queues = (setup: TestBus, ...args: string[]) => program.run(['queues', ...args], on(setup))
const names = async ({ pool }: TestBus) =>
  (await pool.query('select queue_name from pgmq.list_queues() order by 1')).rows.map(row => row.queue_name)
const reply = ({ pool }: TestBus, queue: string, age = '0') =>
  pool
    .query(
      `with sent as (select pgmq.send($1::text, '{"outcome": "SUCCESS"}'::jsonb) as id)
     select id from sent`,
      [queue],
    )
    .then(({ rows }) =>
      pool.query(`update pgmq.q_${queue} set enqueued_at = now() - $2::interval where msg_id = $1`, [rows[0].id, age]),
    )

/** A command that was handled, with its reply. */
const handled = async (setup: TestBus, domain: string, replyTo: string): Promise<void> => {
  const { commandId } = await setup.bus.send(domain, 'Charge', {}, { replyTo })
  const worker = await setup.work({ domain, handlers: { '*': () => ({}) } })
  await setup.until(
    () => setup.bus.getCommand(domain, commandId),
    command => command?.status === 'COMPLETED',
  )
  await worker.stop()
}

describe('queues create', () => {
  test('R15: makes the queue of a domain and one for replies beforehand, once', async () => {
    const setup = await createTestBus()
    const args = ['create', '--domain', 'pay.cards', '--reply-to', 'shop__replies']
    expect(await queues(setup, ...args)).toMatchObject({
      code: 0,
      stderr: '',
      stdout: 'Queue pay__cards__commands was created.\nQueue shop__replies was created.\n',
    })
    expect(await names(setup)).toEqual(['pay__cards__commands', 'shop__replies'])
    expect((await queues(setup, ...args, '--json')).json()).toEqual({
      items: [
        { queue: 'pay__cards__commands', created: false },
        { queue: 'shop__replies', created: false },
      ],
    })
    await handled(setup, 'pay.cards', 'shop__replies')
    expect(await setup.messages('shop__replies')).toHaveLength(1)
  })

  test('starts message ids after those that the commands of the domain have', async () => {
    const setup = await createTestBus()
    await handled(setup, 'payments', 'shop__replies')
    await setup.pool.query(`select pgmq.drop_queue('payments__commands')`)
    expect(await queues(setup, 'create', '--domain', 'payments')).toMatchObject({ code: 0 })
    expect(await setup.bus.send('payments', 'Charge', {})).toMatchObject({ msgId: '2' })
  })

  test('fails with a reason while another open transaction makes the same queue', async () => {
    const setup = await createTestBus()
    const client = await setup.pool.connect()
    await client.query('begin')
    await client.query(`select pgmq.create('payments__commands')`)
    const answer = await queues(setup, 'create', '--domain', 'payments')
    await client.query('rollback')
    client.release()
    expect(answer).toMatchObject({ code: 1, stdout: '' })
    expect(answer.stderr).toMatch(/^commandbus: the queue 'payments__commands' is locked by an open transaction/)
  })

  test.each([
    [['create'], 'name a queue: --domain <domain> or --reply-to <queue>'],
    [['create', '--domain', 'Pay;'], "domain: 'Pay;'"],
    [['create', '--reply-to', 'Q;'], "replyTo: 'Q;'"],
    [['create', '--reply-to', 'a--b'], "replyTo: 'a--b'"],
    [['create', '--reply-to', 'q'.repeat(48)], 'has 48 characters and pgmq allows 47'],
    [['create', '--reply-to', 'payments__commands'], 'create it with --domain payments'],
    [['drop', 'x"; drop table y'], 'queue: '],
    [['purge', 'shop__replies'], '--older-than <age>, or --all'],
    [['purge', 'shop__replies', '--older-than', 'soon'], '--older-than must be an age like 90d'],
  ])('%j is refused in one sentence', async (args, sentence) => {
    // checked before a connection is made
    const answer = await program.run(['queues', ...args], {
      env: { DATABASE_URL: 'postgres://u:s3cret@127.0.0.1:1/x' },
    })
    expect(answer).toMatchObject({ code: 2, stdout: '' })
    expect(answer.stderr).toContain(sentence)
    expect(answer.stderr.trimEnd()).not.toContain('\n')
  })

  test('the error for a database that cannot be reached is without its password', async () => {
    const answer = await program.run(['queues', 'list'], { env: { DATABASE_URL: 'postgres://u:s3cret@127.0.0.1:1/x' } })
    expect(answer).toMatchObject({ code: 1, stdout: '' })
    expect(answer.stderr).toMatch(/^commandbus: the database cannot be reached/)
    expect(answer.stderr).not.toContain('s3cret')
  })
})

test('queues list shows how many messages wait, and which queues belong to the bus', async () => {
  const setup = await createTestBus()
  expect((await queues(setup, 'list')).stdout).toBe('There are no queues.\n')
  await setup.bus.send('payments', 'Charge', {}, { replyTo: 'answers' })
  await setup.bus.send('payments', 'Charge', {})
  await setup.pool.query(`select pgmq.read('payments__commands', 60, 1)`)
  await queues(setup, 'create', '--reply-to', 'answers', '--reply-to', 'shop__replies')
  await reply(setup, 'shop__replies', '90 seconds')
  await setup.pool.query(`select pgmq.create_unlogged('emails')`)
  const listed = (await queues(setup, 'list', '--json')).json()
  const empty = { depth: 0, visible: 0, oldestAgeSeconds: null }
  expect(listed.items).toMatchObject([
    { queue: 'answers', kind: 'replies', ours: true, domain: null, unlogged: false, ...empty },
    { queue: 'emails', kind: 'other', ours: false, domain: null, unlogged: true, ...empty },
    {
      ...{ queue: 'payments__commands', kind: 'commands', ours: true, domain: 'payments', unlogged: false },
      ...{ depth: 2, visible: 1, oldestAgeSeconds: expect.any(Number) },
    },
    {
      ...{ queue: 'shop__replies', kind: 'replies', ours: true, domain: null, unlogged: false },
      ...{ depth: 1, visible: 1, oldestAgeSeconds: expect.any(Number) },
    },
  ])
  expect(listed.items[3]?.oldestAgeSeconds).toBeGreaterThanOrEqual(90)
  const { stdout } = await queues(setup, 'list')
  expect(stdout).toMatch(/^QUEUE +FOR +MESSAGES +READY +DELAYED +TOTAL +OLDEST +NOTE\n/)
  expect(stdout).toMatch(/\npayments__commands +commands of payments +2 +1 +1 +2 +\d+ s\n/)
  expect(stdout).toMatch(/\nemails +other +0 +0 +0 +unlogged: emptied by a crash\n/)
})

describe('queues drop', () => {
  test('drops an empty queue, and a dry run does not', async () => {
    const setup = await createTestBus()
    await queues(setup, 'create', '--domain', 'payments', '--reply-to', 'shop__replies')
    const before = await fingerprint(setup.pool)
    expect((await queues(setup, 'drop', 'shop__replies', '--dry-run')).stdout).toBe(
      'Would drop shop__replies with 0 messages and 0 in its archive. Nothing was done.\n',
    )
    expect(await fingerprint(setup.pool)).toEqual(before)
    expect((await queues(setup, 'drop', 'shop__replies')).stdout).toBe(
      'Dropped shop__replies with 0 messages and 0 in its archive.\n',
    )
    expect((await queues(setup, 'drop', 'payments__commands', '--json')).json()).toEqual({
      ...{ queue: 'payments__commands', kind: 'commands', messages: 0, archived: 0 },
    })
    expect(await names(setup)).toEqual([])
    expect((await queues(setup, 'drop', 'shop__replies')).stderr).toBe(
      "commandbus: there is no queue 'shop__replies'\n",
    )
  })

  test('refuses a queue with messages or archived messages, unless the options allow to lose them', async () => {
    const setup = await createTestBus()
    await queues(setup, 'create', '--reply-to', 'one__replies', '--reply-to', 'two__replies')
    await reply(setup, 'one__replies')
    await reply(setup, 'two__replies')
    await setup.pool.query(`select pgmq.archive('two__replies', 1)`)
    for (const [queue, what] of [
      ['one__replies', '1 message and 0 in its archive'],
      ['two__replies', '0 messages and 1 in its archive'],
    ] as const) {
      for (const more of [[], ['--dry-run']]) {
        expect(await queues(setup, 'drop', queue, ...more)).toMatchObject({
          code: 1,
          stderr: `commandbus: the queue '${queue}' has ${what}: use --discard to delete them\n`,
        })
      }
      expect(await queues(setup, 'drop', queue, '--discard')).toMatchObject({ code: 0 })
    }
    expect(await names(setup)).toEqual([])
  })

  test('never drops the queue of a domain with open commands, whatever the options', async () => {
    const setup = await createTestBus()
    const id = await parked(setup)
    // the queue is empty, and its archive too: the command waits in troubleshooting
    await setup.pool.query('delete from pgmq.a_payments__commands')
    const dropped = () => queues(setup, 'drop', 'payments__commands', '--discard', '--json')
    expect((await dropped()).json()).toMatchObject({ error: { code: 'QUEUE_IN_USE' } })
    await setup.bus.troubleshooting.cancel('payments', id, { operator: 'jane', reason: 'gone' })
    expect((await queues(setup, 'drop', 'payments__commands', '--json')).json()).toMatchObject({
      error: { code: 'QUEUE_HAS_HISTORY', message: expect.stringContaining('commandbus archive') },
    })
    expect(await dropped()).toMatchObject({ code: 0 })
    expect(await names(setup)).toEqual([])
  })

  test('waits for a sender whose transaction is open, and then refuses', async () => {
    const setup = await createTestBus()
    await queues(setup, 'create', '--domain', 'payments')
    const client = await setup.pool.connect()
    await client.query('begin')
    await setup.bus.send('payments', 'Charge', {}, { client })
    const dropping = queues(setup, 'drop', 'payments__commands', '--json')
    await setup.until(
      async () =>
        (
          await setup.pool.query(`select from pg_locks where not granted and mode = 'AccessExclusiveLock'
             and ${OF_THIS_DATABASE}`)
        ).rowCount,
      waiting => waiting === 1,
    )
    await client.query('commit')
    client.release()
    expect((await dropping).json()).toMatchObject({ error: { code: 'QUEUE_IN_USE' } })
    expect(await setup.messages('payments__commands')).toHaveLength(1)
  })

  test('R11: DATABASE_TIMEOUT_MS limits queries, and not a purge that takes longer', async () => {
    const setup = await createTestBus()
    await setup.pool.query(`select pgmq.create('emails')`)
    await setup.pool.query(`select pgmq.send('emails', '{}')`)
    await setup.pool.query(
      `create function slowly() returns trigger language plpgsql as 'begin perform pg_sleep(4); return null; end'`,
    )
    await setup.pool.query('create trigger slowly before delete on pgmq.q_emails execute function slowly()')
    const hurried = (...args: string[]) =>
      program.run(['queues', ...args], { env: { ...on(setup).env, DATABASE_TIMEOUT_MS: '1500' } })
    expect(await hurried('purge', 'emails', '--older-than', '0m', '--not-ours')).toMatchObject({
      code: 0,
      stdout: 'Purged 1 message of emails.\n',
    })
    const holder = await setup.pool.connect()
    await holder.query('begin')
    await holder.query('lock table command_bus_command in access exclusive mode')
    // without the setting it would be 30 s
    const late = delay(20_000, 'late', { ref: false })
    expect(await Promise.race([hurried('list'), late])).toMatchObject({
      stderr: expect.stringMatching(/^commandbus: the database did not answer in time/),
    })
    await holder.query('rollback')
    holder.release()
  })

  test('refuses a queue that does not visibly belong to the bus, without --not-ours', async () => {
    const setup = await createTestBus()
    await setup.pool.query(`select pgmq.create('emails')`)
    for (const args of [
      ['drop', 'emails'],
      ['purge', 'emails', '--all'],
    ]) {
      expect((await queues(setup, ...args, '--json')).json()).toMatchObject({ error: { code: 'QUEUE_NOT_OURS' } })
    }
    expect(await queues(setup, 'drop', 'emails', '--not-ours')).toMatchObject({ code: 0 })
  })
})

describe('queues purge', () => {
  test('removes replies, the old ones or all, and a dry run counts them', async () => {
    const setup = await createTestBus()
    await queues(setup, 'create', '--reply-to', 'shop__replies')
    for (const age of ['40 days', '31 days', '1 hour']) await reply(setup, 'shop__replies', age)
    const purge = (...args: string[]) => queues(setup, 'purge', 'shop__replies', ...args)
    expect((await purge('--older-than', '30d', '--dry-run')).stdout).toBe(
      'Would purge 2 messages of shop__replies. Nothing was done.\n',
    )
    expect((await purge('--all', '--dry-run', '--json')).json()).toEqual({
      ...{ queue: 'shop__replies', purged: 3, dryRun: true },
    })
    expect(await setup.messages('shop__replies')).toHaveLength(3)
    expect((await purge('--older-than', '30d')).stdout).toBe('Purged 2 messages of shop__replies.\n')
    expect(await setup.messages('shop__replies')).toMatchObject([{ msg_id: '3' }])
    expect((await purge('--all', '--json')).json()).toEqual({ queue: 'shop__replies', purged: 1 })
    expect(await setup.messages('shop__replies')).toEqual([])
  })

  test('never removes commands, whatever the options', async () => {
    const setup = await createTestBus()
    await setup.bus.send('payments', 'Charge', {})
    for (const args of [['--all'], ['--older-than', '0m'], ['--all', '--not-ours'], ['--all', '--dry-run']]) {
      expect((await queues(setup, 'purge', 'payments__commands', ...args, '--json')).json()).toMatchObject({
        error: { code: 'QUEUE_OF_COMMANDS' },
      })
    }
    expect(await setup.messages('payments__commands')).toHaveLength(1)
  })
})
