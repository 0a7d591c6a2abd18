import { loadBullMq } from './bullmq.ts'
import { loadGraphileWorker } from './graphile-worker.ts'
import { installPeers } from './packages.ts'
import type { Peer } from './peer.ts'
import { loadPgBoss } from './pg-boss.ts'

/** All peers with all settings, installed first where they are not. */
export const loadPeers = async (): Promise<readonly Peer[]> => {
  await installPeers()
  return [...(await loadPgBoss()), ...(await loadGraphileWorker()), ...(await loadBullMq())]
}
