import { beforeAll, expect, test } from 'vitest'
import type { Role } from '../../../src/index.ts'
import { sharedTestApi } from '../../support/http.ts'
import { parked } from '../../support/park.ts'

const shared = sharedTestApi()
let id = ''
const cause = 'domain=payments&commandType=Charge&errorCode=CARD_DECLINED'

beforeAll(async () => {
  id = await parked(shared())
})

const ask = async (path: string, ...roles: readonly Role[]) =>
  shared().request('GET', path, { token: await shared().token(roles) })

test('O4: groups, lists, attempts and explanations over HTTP', async () => {
  const { body } = await ask('/troubleshooting/groups', 'OPERATOR')
  expect(body.items).toMatchObject([{ count: 1, frame: expect.stringMatching(/^test\/support\/park\.ts:\d+/) }])
  const frame = encodeURIComponent(body.items[0].frame)
  expect((await ask(`/troubleshooting?frame=${frame}`, 'OPERATOR')).body.total).toBe(1)
  expect((await ask('/troubleshooting?frame=none', 'OPERATOR')).body.total).toBe(0)
  expect((await ask(`/domains/payments/commands/${id}/attempts`, 'AUDITOR')).body).toMatchObject({
    domain: 'payments',
    commandId: id,
    items: [
      { attempt: 1, outcome: 'PARKED', error: { code: 'CARD_DECLINED', stack: expect.stringContaining('park.ts') } },
    ],
  })
  expect((await ask(`/troubleshooting/explain?${cause}&frame=${frame}`, 'OPERATOR')).body).toEqual({
    failed: 1,
    succeeded: 0,
    findings: [],
  })
  const missing = await ask('/troubleshooting/explain?domain=payments', 'OPERATOR')
  expect(missing.status).toBe(400)
  expect(missing.body.errors.map(({ path }: { path: string }) => path).sort()).toEqual(['commandType', 'errorCode'])
})

test('O4: places in the code are not shown to senders, whose groups are not divided by them', async () => {
  const { body } = await ask('/troubleshooting/groups', 'SENDER')
  expect(body.items).toMatchObject([{ count: 1, frame: null, key: 'payments/Charge/CARD_DECLINED' }])
  for (const path of [`/domains/payments/commands/${id}/attempts`, `/troubleshooting/explain?${cause}`]) {
    expect((await ask(path, 'SENDER')).status, path).toBe(403)
  }
})
