import { beforeAll, expect, test } from 'vitest'
import { PermanentCommandError, type Role } from '../../../src/index.ts'
import { sharedTestApi } from '../../support/http.ts'
import { isParked } from '../../support/park.ts'

const shared = sharedTestApi()
const cause = new Error('the vault is sealed')
let id = ''
let operation = ''

/** A stack frame of this file: only callers who may see the history may see it. */
const FRAME = 'stacks.test'

beforeAll(async () => {
  const { bus, until } = shared()
  const fail = () => Promise.reject(new PermanentCommandError('SEALED', 'cannot sign', null, { cause }))
  const workers = ['payments', 'operations'].map(domain => bus.worker({ domain, handlers: { '*': fail } }))
  for (const worker of workers) await worker.start()
  id = (await bus.send('payments', 'Sign', {}, { replyTo: 'shop__replies' })).commandId
  operation = (await bus.operations.start({ subject: 'ada', tenant: null }, { operation_type: 'sign', parameters: {} }))
    .id
  await until(() => bus.getCommand('payments', id), isParked)
  await until(
    () => bus.operations.get({ subject: 'ada', tenant: null }, operation),
    found => found.status === 'failed',
  )
  for (const worker of workers) await worker.stop()
})

const ask = async (path: string, roles: readonly Role[]) =>
  shared().request('GET', path, { token: await shared().token(roles, { sub: 'ada' }) })

test('R5: history and audit show stack and causes to callers who may read these', async () => {
  for (const role of ['AUDITOR', 'OPERATOR', 'ADMIN'] as const) {
    const history = await ask(`/domains/payments/commands/${id}/history`, [role])
    expect(history.body.items.at(-1).event.error).toMatchObject({
      code: 'SEALED',
      stack: expect.stringContaining(FRAME),
      causes: [
        { kind: 'cause', depth: 1, code: 'Error', message: cause.message, stack: expect.stringContaining(FRAME) },
      ],
    })
    const audit = await ask(`/domains/payments/commands/${id}/audit`, [role])
    expect(audit.body.items.at(-1).details).toMatchObject({
      error_stack: expect.stringContaining(FRAME),
      error_causes: [{ message: cause.message }],
    })
  }
})

test('R5: no stack is shown to a sender or the owner of an operation, or in a list', async () => {
  const places: readonly (readonly [Role, string])[] = [
    ['SENDER', `/domains/payments/commands/${id}`],
    ['SENDER', '/commands'],
    ['SENDER', '/troubleshooting'],
    ['SENDER', '/troubleshooting/groups'],
    ['OPERATOR', '/troubleshooting/history'],
    ['USER', `/operations/${operation}`],
    ['USER', '/operations'],
  ]
  for (const [role, path] of places) {
    const { status, body } = await ask(path, [role])
    expect(status, path).toBe(200)
    expect(JSON.stringify(body), path).toMatch(/SEALED|What to do:/)
    expect(JSON.stringify(body), path).not.toMatch(new RegExp(`${FRAME}|${cause.message}`))
  }
  for (const path of ['history', 'audit']) {
    expect((await ask(`/domains/payments/commands/${id}/${path}`, ['SENDER', 'USER'])).status).toBe(403)
  }
  const live = await fetch(`${shared().url}/api/v1/events?domain=payments`, {
    headers: { authorization: `Bearer ${await shared().token(['SENDER'])}`, 'last-event-id': '0/0' },
  })
  const decoder = new TextDecoder()
  let seen = ''
  for await (const part of live.body as unknown as AsyncIterable<Uint8Array>) {
    seen += decoder.decode(part)
    if (seen.includes('CommandMovedToTroubleshooting')) break
  }
  expect(seen).not.toMatch(new RegExp(`${FRAME}|${cause.message}`))
})
