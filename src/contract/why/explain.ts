import * as t from 'io-ts'
import { findingKinds } from '../../domain/explain/finding.ts'
import { anyJson, object, wordOf } from '../codecs.ts'
import { none } from '../commands.ts'
import { route } from '../route.ts'

const finding = t.intersection([
  t.type({
    kind: wordOf(findingKinds),
    value: anyJson,
    failedShare: t.number,
    succeededShare: t.number,
    sentence: t.string,
  }),
  t.partial({ path: t.string }),
])

export const explainRoutes = {
  explainCause: route({
    method: 'GET',
    path: '/troubleshooting/explain',
    summary:
      'What the failed commands of a cause have in common that the succeeded ones of the same type have not, best first; nothing when nothing stands out. Compares at most 1,000 of each, from about the same time',
    tag: 'Troubleshooting',
    permission: 'audit',
    params: none,
    query: object({ domain: t.string, commandType: t.string, errorCode: t.string }, { frame: t.string }),
    body: null,
    success: { status: 200, body: t.type({ failed: t.number, succeeded: t.number, findings: t.array(finding) }) },
    problems: [],
  }),
}
