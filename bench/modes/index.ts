import type { Mode } from '../mode.ts'
import { pages } from '../pages/mode.ts'
import { scale } from '../scale/mode.ts'
import { backlog } from './backlog.ts'
import { bulk } from './bulk.ts'
import { eventStoreDb } from './eventstoredb.ts'
import { growth } from './growth.ts'
import { http } from './http-report.ts'
import { latency } from './latency.ts'
import { peers } from './peers.ts'
import { profile } from './profile.ts'
import { proof } from './proof.ts'
import { replay } from './replay.ts'
import { runs } from './runs.ts'

export { ratios } from './ratios.ts'

/** What is measured instead of the works beside raw, by the word that asks for it. */
export const modes: Readonly<Record<string, Mode>> = {
  http,
  replay,
  eventstoredb: eventStoreDb,
  proof,
  runs,
  latency,
  backlog,
  bulk,
  growth,
  scale,
  pages,
  profile,
  peers,
}
