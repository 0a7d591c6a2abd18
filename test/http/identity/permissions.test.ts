import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { permitNames } from '../../../src/application/permits/permits.ts'
import { ForbiddenError, type Identity, InvalidInputError } from '../../../src/index.ts'
import { createIdentify } from '../../../src/infrastructure/http/identity/identity.ts'
import { createWatch } from '../../../src/infrastructure/http/pages/watch.ts'
import { SECRET, sharedTestApi } from '../../support/http.ts'
import { parked } from '../../support/park.ts'
import { expectProblem } from '../../support/problem.ts'
import { addressOf, allRoutes, routesWithId } from '../contract/table.ts'

const shared = sharedTestApi()
const EVERYONE = ['ADMIN', 'BUBBLE_ADMIN'] as const

/** Everything in one domain. */
const allIn = (domain: string) => permitNames.map(name => `${name}@${domain}`)

describe('O9: what a token names narrows what its roles allow', () => {
  const operator = (...permissions: string[]): Identity => ({
    subject: 'olga@example.com',
    tenant: null,
    roles: ['OPERATOR'],
    permissions,
  })

  test('O9: retry but not cancel, and only in its domain', async () => {
    const api = shared()
    const token = await api.token(['OPERATOR'], { permissions: ['retry@payments', 'read@payments'] })
    const [here, there] = [await parked(api), await parked(api, 'shipping')]
    const act = (domain: string, id: string, path: string, body: object = {}) =>
      api.request('POST', `/domains/${domain}/commands/${id}/${path}`, { token, body })
    for (const dryRun of [{ dryRun: true }, {}]) {
      expectProblem(
        await act('payments', here, 'cancel', { reason: 'x', ...dryRun }),
        403,
        'FORBIDDEN',
        /cancel@payments/,
      )
      expectProblem(await act('shipping', there, 'retry', dryRun), 403, 'FORBIDDEN', /retry@shipping/)
    }
    expectProblem(await act('shipping', there, 'rehearse'), 403, 'FORBIDDEN', /retry@shipping/)
    expectProblem(await api.request('GET', `/domains/shipping/commands/${there}`, { token }), 403, 'FORBIDDEN', /read@/)
    expect((await api.request('GET', `/domains/payments/commands/${here}`, { token })).status).toBe(200)
    expect((await act('payments', here, 'retry')).body).toMatchObject({ status: 'PENDING' })
    expect(await api.bus.getCommand('shipping', there)).toMatchObject({ status: 'IN_TROUBLESHOOTING_QUEUE' })
  })

  test('O9: another payload needs edit besides retry, for a rehearsal and a dry run, too', async () => {
    const { bus } = shared()
    const id = await parked(shared())
    const plain = bus.as(operator('retry@*')).troubleshooting
    const editor = bus.as(operator('retry@*', 'edit@payments')).troubleshooting
    for (const data of [{ amount: 1 }, null]) {
      await expect(plain.retry('payments', id, { data })).rejects.toThrow(/edit@payments/)
      await expect(plain.retry('payments', id, { data, dryRun: true })).rejects.toThrow(/edit@payments/)
      await expect(plain.rehearse('payments', id, { data })).rejects.toThrow(/edit@payments/)
    }
    await expect(bus.as(operator('edit@*')).troubleshooting.retry('payments', id, { data: 1 })).rejects.toThrow(
      /retry@payments/,
    )
    expect(await editor.retry('payments', id, { data: { amount: 1 } })).toMatchObject({ status: 'PENDING' })
  })

  test('O9: an action on many needs its name in each domain that it can reach', async () => {
    const api = shared()
    const { bus } = api
    const id = await parked(api)
    const many = bus.as(operator('retry@payments', 'cancel@shipping')).troubleshooting
    for (const call of [many.start, many.dryRun]) {
      const retry = (options: object) => call({ action: 'retry', ...options } as Parameters<typeof many.start>[0])
      await expect(retry({ filter: {} })).rejects.toThrow(/retry@\*.*not limited to one domain/)
      await expect(retry({ filter: { domain: 'shipping' } })).rejects.toThrow(/retry@shipping/)
      await expect(
        retry({
          ids: [
            { domain: 'payments', commandId: id },
            { domain: 'shipping', commandId: id },
          ],
        }),
      ).rejects.toThrow(/retry@shipping/)
      await expect(retry({ filter: {}, ids: [{ domain: 'payments', commandId: id }] })).rejects.toThrow(ForbiddenError)
      await expect(call({ action: 'cancel', reason: 'x', filter: { domain: 'payments' } })).rejects.toThrow(
        /cancel@payments/,
      )
      await retry({ filter: { domain: 'payments', errorCode: 'NOBODY_HAS_THIS' } })
      await retry({ ids: [{ domain: 'payments', commandId: id }] })
    }
    const { actionId } = await many.start({ action: 'retry', filter: { domain: 'payments', errorCode: 'NONE' } })
    const other = (...permissions: string[]) => bus.as({ ...operator(...permissions), subject: 'x' }).troubleshooting
    await expect(other('retry@shipping', 'read@shipping').action(actionId)).rejects.toThrow(/read@<its domain>/)
    await expect(other('cancel@payments').stop(actionId)).rejects.toThrow(/retry@<its domain>/)
    expect(await other('retry@payments', 'read@payments').action(actionId)).toMatchObject({ actionId })
    expect(await many.stop(actionId)).toMatchObject({ actionId })
  })

  test('O9: what is named by an id is looked up: pauses and schedules belong to a domain', async () => {
    const { bus } = shared()
    const [own, other] = [bus.as(operator('operate@o9')), bus.as(operator('operate@shipping', 'read@o9'))]
    const { pauseId } = await own.pause({ domain: 'o9', reason: 'x' })
    await expect(other.resume(pauseId)).rejects.toThrow(/operate@<its domain>/)
    await expect(other.pause({ domain: 'o9b', reason: 'x' })).rejects.toThrow(/operate@o9b/)
    expect(await own.resume(pauseId)).toMatchObject({ pauseId })
    const hourly = { commandType: 'X', data: 1, everySeconds: 3600 }
    await own.schedules.set('o9-hourly', { domain: 'o9', ...hourly })
    for (const call of [other.schedules.run, other.schedules.delete, other.schedules.resume]) {
      await expect(call('o9-hourly')).rejects.toThrow(/operate@<its domain>/)
    }
    await expect(other.schedules.set('o9-hourly', { domain: 'shipping', ...hourly })).rejects.toThrow(
      /operate@<its domain>/,
    )
    await expect(own.schedules.set('o9-hourly', { domain: 'shipping', ...hourly })).rejects.toThrow(/operate@shipping/)
    expect(await other.schedules.get('o9-hourly')).toMatchObject({ domain: 'o9' })
    await own.schedules.delete('o9-hourly')
  })

  test('O9: a refusal does not tell whether the thing is there, nor its domain', async () => {
    const { bus } = shared()
    const own = bus.as(operator('operate@o9c', 'retry@o9c'))
    const { pauseId } = await own.pause({ domain: 'o9c', reason: 'x' })
    await own.schedules.set('o9c', { domain: 'o9c', commandType: 'X', data: 1, everySeconds: 3600 })
    const { actionId } = await own.troubleshooting.start({ action: 'retry', filter: { domain: 'o9c' } })
    const other = bus.as({ ...operator('operate@shipping', 'read@shipping', 'retry@shipping'), subject: 'x' })
    const refusal = (call: Promise<unknown>): Promise<string> =>
      call.then(
        () => 'not refused',
        (error: Error) => `${error.name}: ${error.message}`,
      )
    const pairs: readonly (readonly [call: (name: string) => Promise<unknown>, name: string])[] = [
      [other.resume, pauseId],
      [other.schedules.get, 'o9c'],
      [other.schedules.run, 'o9c'],
      [other.troubleshooting.action, actionId],
    ]
    for (const [call, name] of pairs) {
      const unknown = await refusal(call(name === 'o9c' ? 'nothing' : randomUUID()))
      expect(unknown).toContain('ForbiddenError')
      expect(await refusal(call(name))).toBe(unknown)
    }
    await own.resume(pauseId)
    await own.schedules.delete('o9c')
  })

  test('O9: what is shared, and places in the code, are for those whose permissions name them', async () => {
    const { bus } = shared()
    await parked(shared(), 'o9d')
    const view = { list: 'commands', filter: {}, shared: true } as const
    const reader = bus.as(operator('read@*'))
    await expect(reader.views.set('o9d', view)).rejects.toThrow(/operate@\*/)
    await bus.as(operator('read@*', 'operate@*')).views.set('o9d', view)
    await expect(reader.views.delete('o9d', { shared: true })).rejects.toThrow(/operate@\*/)
    expect(await reader.views.get('o9d')).toMatchObject({ shared: true })
    const frames = async (...permissions: string[]) =>
      (await bus.as(operator(...permissions)).troubleshooting.groups({ domain: 'o9d' })).map(({ frame }) => frame)
    expect(await frames('read@o9d', 'audit@o9e')).toEqual([null])
    expect(await frames('read@o9d', 'audit@o9d')).toEqual([expect.stringContaining('park.ts')])
  })

  test('O9: it never widens: roles still decide, and texts that are not known give nothing', async () => {
    const { bus } = shared()
    const id = await parked(shared())
    const sender = bus.as({ ...operator('retry@*', 'operate@*'), roles: ['SENDER'] })
    await expect(sender.troubleshooting.retry('payments', id, {})).rejects.toThrow(/roles OPERATOR, ADMIN/)
    const unknown = ['*', '*@*', 'retry', 'retry@', '@payments', 'RETRY@payments', 'operate@payments', 'retry@pay*']
    for (const permissions of [[], unknown]) {
      const { troubleshooting } = bus.as(operator(...permissions))
      await expect(troubleshooting.retry('payments', id, {})).rejects.toThrow(/retry@payments/)
    }
    const { permissions: _, ...plain } = operator()
    expect(await bus.as(plain).troubleshooting.retry('payments', id, {})).toMatchObject({ status: 'PENDING' })
    expect(() => bus.as({ ...plain, permissions: 'retry@*' as never })).toThrow(InvalidInputError)
    expect(() => bus.as({ ...plain, permissions: null as never })).toThrow(InvalidInputError)
  })

  test('O9: allows says it by domain', () => {
    const caller = shared().bus.as(operator('retry@payments', 'read@*', 'audit@payments', 'send@*'))
    expect([caller.allows('read'), caller.allows('read', 'x'), caller.allows('read', null)]).toEqual([true, true, true])
    expect([caller.allows('audit'), caller.allows('audit', 'x'), caller.allows('audit', null)]).toEqual([
      true,
      false,
      false,
    ])
    expect([caller.allows('operate'), caller.allows('operate', 'payments'), caller.allows('send')]).toEqual([
      true,
      false,
      false,
    ])
    expect(() => caller.demand('audit', 'shipping')).toThrow(/audit@shipping/)
  })
})

describe('O9: every route', () => {
  test('O9: refuses a token that names nothing, or another domain only', async () => {
    const api = shared()
    for (const permissions of [[], allIn('elsewhere')]) {
      const token = await api.token(EVERYONE, { permissions })
      for (const [id, route] of allRoutes) {
        const answer = await api.request(...addressOf(route), { token, body: route.body })
        expect([id, answer.status, answer.body.code]).toEqual([id, 403, 'FORBIDDEN'])
      }
      expect((await api.request('GET', '/events', { token })).status).toBe(403)
      const watch = createWatch(createIdentify({ secret: SECRET }))
      await expect(watch(`Bearer ${token}`)).rejects.toThrow(/audit@\*/)
    }
  })

  test('O9: of one domain is allowed in that domain', async () => {
    const api = shared()
    const token = await api.token(EVERYONE, { permissions: allIn('payments') })
    for (const [id, route] of routesWithId.filter(([, { is }]) => is.includes(':domain'))) {
      const made = await (route.prepare ?? parked)(api)
      const answer = await api.request(...addressOf(route, made), { token, body: route.body })
      expect([id, answer.status]).toEqual([id, route.succeeds])
    }
  })
})
