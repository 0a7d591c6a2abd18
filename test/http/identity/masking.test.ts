import { describe, expect, test } from 'vitest'
import { isSensitive } from '../../../src/application/sensitive/hide.ts'
import { defineHandler, ForbiddenError, type Identity, InvalidInputError, type Json } from '../../../src/index.ts'
import { createTestBus } from '../../support/bus.ts'
import { createTestApi } from '../../support/http.ts'
import { parked } from '../../support/park.ts'
import { addressOf, allRoutes } from '../contract/table.ts'

const SECRET = 'planted-4111111111111111'
const EVERYBODY_ELSE = ['SENDER', 'OPERATOR', 'AUDITOR', 'CUSTOMER_ADMIN', 'BUBBLE_ADMIN', 'USER'] as const
const sensitive = { payments: { Charge: ['card.number', 'items.*.iban', 'token'] } }

const payload = (size = 0) => ({
  card: { number: SECRET, holder: 'Ann' },
  items: [{ iban: SECRET, name: 'first' }, { iban: `${SECRET}2` }],
  token: { nested: [SECRET] },
  amount: 5,
  pad: 'x'.repeat(size),
})

const hidden = {
  card: { number: '•••', holder: 'Ann' },
  items: [{ iban: '•••', name: 'first' }, { iban: '•••' }],
  token: '•••',
  amount: 5,
  pad: '',
}

const operator = (part: Partial<Identity> = {}): Identity => ({
  subject: 'olga@example.com',
  tenant: null,
  roles: ['OPERATOR', 'SENDER'],
  ...part,
})

describe('O10: members that are declared sensitive', () => {
  test('O10: no route shows them to somebody without reveal', { timeout: 120_000 }, async () => {
    const api = await createTestApi(
      {},
      { sensitive, handlers: { payments: { '*': { rehearsable: true, handle: () => ({ result: payload() }) } } } },
    )
    const { bus, pool } = api
    const [small, large, edited] = [
      await parked(api, 'payments', payload()),
      await parked(api, 'payments', payload(9_000)),
      await parked(api, 'payments', payload()),
    ]
    await bus.troubleshooting.retry('payments', edited, {
      operator: 'x',
      data: { ...payload(), card: { number: `${SECRET}0` }, token: null },
    })
    const { commandId: done } = await bus.send('payments', 'Charge', payload(), { replyTo: 'answers' })
    const { commandId: largeDone } = await bus.send('payments', 'Charge', payload(9_000))
    // messages of another program, which the worker keeps
    for (const size of [0, 9_000])
      await pool.query('select pgmq.send($1, $2::jsonb)', ['payments__commands', payload(size)])
    const worker = await api.work({
      domain: 'payments',
      handlers: { '*': ({ pad }: ReturnType<typeof payload>) => payload(pad.length) as unknown as Json } as never,
    })
    for (const id of [edited, done, largeDone]) {
      await api.until(
        () => bus.getCommand('payments', id),
        found => found?.status === 'COMPLETED',
      )
    }
    await api.until(
      () => bus.strangers.list(),
      ({ items }) => items.length === 2,
    )
    await worker.stop()
    const later = { commandType: 'Charge', data: payload(), delaySeconds: 3600 }
    const { commandId: pending } = await bus.as({ ...operator(), roles: ['ADMIN'] }).send('payments', later)
    await bus.schedules.set('secret', {
      domain: 'payments',
      commandType: 'Charge',
      data: payload(),
      everySeconds: 3600,
    })
    const token = await api.token(EVERYBODY_ELSE)
    const admin = await api.token(['ADMIN', 'BUBBLE_ADMIN'])
    const ids = [small, large, edited, done, largeDone, pending]
    const reads = allRoutes.filter(([, { is }]) => is.startsWith('GET'))
    const extra = ids.flatMap(id => [
      [`GET`, `/domains/payments/commands/${id}/history?from=0&to=1`],
      [`GET`, `/correlations/${id}`],
      [`POST`, `/domains/payments/commands/${id}/rehearse`, {}],
      [`POST`, `/domains/payments/commands/${id}/retry`, { dryRun: true }],
      [`POST`, `/domains/payments/commands/${id}/complete`, { dryRun: true, resultData: payload() }],
      [`POST`, '/troubleshooting/actions/dry-run', { action: 'retry', filter: {} }],
      [`GET`, '/schedules/secret'],
    ])
    const writes = allRoutes.filter(([, { is }]) => !is.startsWith('GET'))
    const asked: (readonly [string, string, unknown])[] = [
      ...reads.flatMap(([, route]) => ids.map(id => [...addressOf(route, id), undefined] as const)),
      ...extra.map(([method, path, body]) => [method as string, path as string, body] as const),
      ...writes.flatMap(([, route]) => ids.map(id => [...addressOf(route, id), route.body] as const)),
    ]
    const shown = new Set<string>()
    for (const [method, path, body] of new Map(asked.map(one => [JSON.stringify(one), one])).values()) {
      const before = method === 'GET' ? await api.request(method, path, { token: admin }) : null
      if (before !== null && JSON.stringify(before.body ?? '').includes(SECRET)) {
        shown.add(path.replaceAll(/[0-9a-f-]{36}/g, ':id').replace(/\?.*/, ''))
      }
      const answer = await api.request(method, path, { token, body })
      expect([method, path, JSON.stringify(answer.body ?? '').includes(SECRET)]).toEqual([method, path, false])
    }
    // the test is worth nothing where there is nothing to hide
    expect([...shown].sort()).toEqual([
      '/domains/payments/commands/:id',
      '/domains/payments/commands/:id/audit',
      '/domains/payments/commands/:id/history',
      '/schedules',
      '/schedules/secret',
      '/strangers',
      '/troubleshooting',
      '/troubleshooting/history',
    ])
    expect(api.logged.join('\n')).not.toContain(SECRET)
  })

  test('O10: what a handler marks in one process is hidden in all, also when its worker is gone', async () => {
    const { bus, another, until, work } = await createTestBus()
    const handler = defineHandler({
      sensitive: sensitive.payments.Charge,
      handle: () => ({ card: { number: SECRET } }),
    })
    const worker = await work({ domain: 'payments', handlers: { Charge: handler } }, another())
    const { commandId } = await bus.send('payments', 'Charge', payload())
    const { commandId: other } = await bus.send('payments', 'Refund', payload())
    await until(
      () => bus.getCommand('payments', commandId),
      found => found?.status === 'COMPLETED',
    )
    await worker.stop()
    const caller = bus.as(operator())
    expect(await caller.getCommand('payments', commandId)).toMatchObject({
      data: hidden,
      result: { card: { number: '•••' } },
    })
    expect(await caller.getCommand('payments', other)).toMatchObject({ data: payload() })
    const [path] = await bus.sensitive.list()
    expect(path).toEqual({ domain: 'payments', commandType: 'Charge', path: 'card.number' })
    expect(await bus.sensitive.remove(path as NonNullable<typeof path>)).toBe(true)
    expect(await bus.sensitive.remove(path as NonNullable<typeof path>)).toBe(false)
    expect(await caller.getCommand('payments', commandId)).toMatchObject({ result: { card: { number: SECRET } } })
  })

  test('O10: reveal shows them, by role and in its domain', async () => {
    const given = await createTestBus({ sensitive })
    const id = await parked(given, 'payments', payload())
    const shownTo = async (part: Partial<Identity>) =>
      (await given.bus.as(operator(part)).troubleshooting.list({})).items.map(({ payload: shown }) => shown)
    expect(await shownTo({})).toEqual([hidden])
    expect(await shownTo({ roles: ['ADMIN'] })).toEqual([payload()])
    expect(await shownTo({ roles: ['ADMIN'], permissions: ['read@*'] })).toEqual([hidden])
    expect(await shownTo({ roles: ['ADMIN'], permissions: ['read@*', 'reveal@shipping'] })).toEqual([hidden])
    expect(await shownTo({ roles: ['ADMIN'], permissions: ['read@*', 'reveal@payments'] })).toEqual([payload()])
    expect(await shownTo({ permissions: ['read@*', 'reveal@*'] })).toEqual([hidden])
    expect(await given.bus.getCommand('payments', id)).toMatchObject({ data: payload() })
  })

  test('O10: who cannot see the payload cannot replace it; a plain retry sends the original', async () => {
    const given = await createTestBus({ sensitive })
    const id = await parked(given, 'payments', payload())
    const { troubleshooting, getCommand } = given.bus.as(operator())
    const { data } = await getCommand('payments', id)
    await expect(troubleshooting.retry('payments', id, { data })).rejects.toThrow(/permission reveal \(ADMIN\)/)
    await expect(troubleshooting.rehearse('payments', id, { data })).rejects.toThrow(ForbiddenError)
    await troubleshooting.retry('payments', id, {})
    expect(await given.bus.getCommand('payments', id)).toMatchObject({ status: 'PENDING', data: payload() })
    const open = await parked(given, 'payments', payload(), { commandType: 'Refund' })
    expect(await troubleshooting.retry('payments', open, { data: 1 })).toMatchObject({ status: 'PENDING' })
  })

  test.each([
    { payments: { Charge: 'card' } },
    { payments: { Charge: ['a..b'] } },
    { payments: { Charge: [''] } },
    { payments: { Charge: ['*.*'] } },
    { payments: ['card'] },
    { 'Not A Domain': { Charge: ['card'] } },
  ])('O10: a declaration that is not valid is refused: %j', async given => {
    await expect(createTestBus({ sensitive: given as never })).rejects.toThrow(InvalidInputError)
  })
})

test('O10: a sensitive member cannot be searched without reveal, and no explanation uses it', async () => {
  const { bus } = await createTestBus({ sensitive })
  await bus.search.declare({ commandType: 'Charge', paths: ['card.number', 'amount'] })
  await bus.send('payments', 'Charge', payload())
  const search = (path: string, roles: Identity['roles']) =>
    bus.as(operator({ roles })).queryCommands({ payload: { path, value: path === 'amount' ? '5' : SECRET } })
  for (const path of ['card.number', '*']) {
    await expect(search(path, ['OPERATOR'])).rejects.toThrow('card.number of Charge is sensitive')
    expect((await search(path, ['ADMIN'])).items).toHaveLength(1)
  }
  expect((await search('amount', ['OPERATOR'])).items).toHaveLength(1)

  const paths = [{ domain: 'payments', commandType: 'Charge', path: 'items.*.iban' }]
  const isHidden = (path: string) => isSensitive(paths, { domain: 'payments', commandType: 'Charge', path })
  expect(['items[].iban', 'items[].name', 'iban'].map(isHidden)).toEqual([true, false, false])
})
