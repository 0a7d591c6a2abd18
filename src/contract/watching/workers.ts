import * as t from 'io-ts'
import { instant, nullable, object, wordOf } from '../codecs.ts'
import { none } from '../commands.ts'
import { route } from '../route.ts'

const running = t.type({ commandId: t.string, commandType: t.string, attempt: t.number, since: instant })

const worker = t.type({
  workerId: t.string,
  domain: t.string,
  status: wordOf(['live', 'stopping', 'lost']),
  host: nullable(t.string),
  pid: nullable(t.number),
  build: nullable(t.string),
  types: t.readonlyArray(t.string),
  slots: t.number,
  busy: t.number,
  running: t.readonlyArray(running),
  startedAt: instant,
  beatAt: instant,
})

const missing = t.type({
  domain: t.string,
  commandType: nullable(t.string),
  pending: t.number,
  since: instant,
  oldestSeconds: t.number,
})

const tag = 'Figures'
const query = object({}, { domain: t.string })

export const workerRoutes = {
  listWorkers: route({
    method: 'GET',
    path: '/workers',
    summary:
      'Workers that were heard of within the last hour, by domain: at most 1,000. `types` has `*` for all types; `running` has the attempts that run longest, at most 20. A worker that was not heard of for 20 s is `lost`',
    tag,
    permission: 'read',
    params: none,
    query,
    body: null,
    success: { status: 200, body: t.type({ items: t.readonlyArray(worker) }) },
    problems: [],
  }),
  listMissingWorkers: route({
    method: 'GET',
    path: '/workers/missing',
    summary:
      'Domains whose commands could begin now and that have no worker, and types that no worker of their domain handles (`commandType`; else null). `pending` 1,000 stands for 1,000 or more',
    tag,
    permission: 'read',
    params: none,
    query,
    body: null,
    success: { status: 200, body: t.type({ items: t.readonlyArray(missing) }) },
    problems: [],
  }),
}
