import * as t from 'io-ts'
import { instant, nullable } from './codecs.ts'
import { none } from './commands.ts'
import { route } from './route.ts'

const finding = t.type({
  kind: t.keyof({ event: null, seal: null, row: null, message: null, archive: null, lane: null, reply: null }),
  stream: t.string,
  revision: nullable(t.number),
  column: t.string,
  message: t.string,
})

export const proofRoutes = {
  getProof: route({
    method: 'GET',
    path: '/proof',
    summary:
      'What the continuous verification of the log has found, and when it last covered all of it. `HOLDS`: no findings; `UNKNOWN`: no round has finished since the service started. `found` lists findings (20 at most) only for callers without a tenant',
    tag: 'Figures',
    permission: 'audit',
    params: none,
    query: none,
    body: null,
    success: {
      status: 200,
      body: t.type({
        at: instant,
        checking: t.boolean,
        verdict: t.keyof({ HOLDS: null, DOES_NOT_HOLD: null, UNKNOWN: null }),
        verifiedAt: nullable(instant),
        verifiedAgeSeconds: nullable(t.number),
        roundSince: nullable(instant),
        findings: t.number,
        found: t.array(finding),
        sealLagSeconds: nullable(t.number),
        failing: nullable(t.string),
      }),
    },
    problems: [],
  }),
}
