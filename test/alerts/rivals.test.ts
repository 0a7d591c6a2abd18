import { expect, test } from 'vitest'
import { isLocalAddress } from '../../src/infrastructure/alerts/addresses.ts'
import { createPost } from '../../src/infrastructure/alerts/post.ts'
import { createAlertWork } from '../../src/infrastructure/postgres/alerts/alert-work.ts'
import { createTestBus } from '../support/bus.ts'
import { SECRET } from './receiver.ts'

const url = 'https://hooks.example.com/x'
const PENDING = `insert into command_bus_alert_delivery (id, scope, name, is_test, body, status, next_attempt_at, created_at)
  values (gen_random_uuid(), '*', $1, false, '{}', 'PENDING', now() - $2::interval, now())`

test('O5: what is added while its alert is deleted is given up, too', async () => {
  const { bus, pool, until } = await createTestBus()
  await bus.alerts.set('on-call', { url, secret: SECRET, on: 'groups' })
  const sender = await pool.connect()
  try {
    await sender.query('begin')
    await sender.query(`select from command_bus_alert where name = 'on-call' for key share`)
    const deleted = bus.alerts.delete('on-call')
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await until(
      () => pool.query(waiting),
      ({ rowCount }) => rowCount === 1,
    )
    await sender.query(PENDING, ['on-call', '1 s'])
    await sender.query('commit')
    await deleted
  } finally {
    sender.release(true)
  }
  // one of the same name does not inherit it
  await bus.alerts.set('on-call', { url, secret: SECRET, on: 'groups' })
  expect((await bus.alerts.sent('on-call')).items).toMatchObject([{ status: 'GIVEN_UP' }])
  expect(await bus.alerts.get('on-call')).toMatchObject({ waiting: 0 })
})

test('O5: alerts with long backlogs do not keep the others waiting', async () => {
  const { bus, pool } = await createTestBus()
  for (let i = 0; i < 21; i++) {
    const name = `alert-${String(i).padStart(2, '0')}`
    await bus.alerts.set(name, { url, secret: SECRET, on: 'groups' })
    for (let n = 0; n < 3; n++) await pool.query(PENDING, [name, i === 20 ? '1 hour' : '1 minute'])
  }
  const client = await pool.connect()
  try {
    const work = createAlertWork(client, 60)
    const due = await work.begin([60_000])
    // one receiver has few at once, as it may not answer
    expect(due.length).toBe(5)
    expect(due.map(({ name }) => name)).toContain('alert-20')
    expect(await work.begin([60_000], due)).toEqual([])
    await pool.query(`update command_bus_alert set url = 'https://' || name || '.example.com'`)
    const others = await work.begin([60_000], due)
    expect(others).toHaveLength(16)
    expect(others.filter(({ name }) => due.some(one => one.name === name))).toEqual([])
  } finally {
    client.release()
  }
})

test('O5: nothing is sent without encryption to an address that was set while that was allowed', async () => {
  const post = createPost({ allowLocal: false, timeoutMs: 400 })
  // of an example, where nobody answers
  expect(await post({ url: 'http://192.0.2.1/', secret: SECRET }, 'id', '{}')).toMatch(/its address is not https/)
})

test('O5: addresses that hold a private one of IPv4 are private', () => {
  const addresses = ['::10.0.0.1', '64:ff9b:1::a00:1', '2001:0:a00:1::1', '2002:a00:1::', 'fec0::1', 'fe80::1%eth0']
  expect(addresses.filter(address => !isLocalAddress(address))).toEqual([])
})
