import type { Row } from '../report.ts'
import { type Work, works } from '../work.ts'
import type { Peer } from './peer.ts'

const passesAll: readonly Work[] = ['send-10', 'work-10']
const passesUntuned: readonly Work[] = ['send-bulk', 'work-50']
const measuredUntuned: readonly Peer['queue'][] = ['pg-boss', 'graphile-worker']

/** Whether ours has to be ahead of this peer at this work. */
const isToBePassed = ({ queue, settings }: Peer, work: Work): boolean =>
  passesAll.includes(work) || (passesUntuned.includes(work) && settings !== 'tuned' && measuredUntuned.includes(queue))

/** One sentence for each peer that ours is not ahead of. By the ratios, as a machine may slow down between two rounds. */
export const notAhead = (rows: readonly Row[], peers: readonly Peer[]): readonly string[] =>
  works.flatMap(work => {
    const ratioOf = (variant: string) => rows.find(row => row.work === work && row.variant === variant)?.ratio
    const ours = ratioOf('ours') ?? Number.NaN
    return peers
      .filter(peer => isToBePassed(peer, work))
      .flatMap(({ variant }) => {
        const theirs = ratioOf(variant)
        return theirs === undefined || ours > theirs
          ? []
          : [`${work} reaches ${ours.toFixed(3)} of raw, which is not ahead of ${variant} with ${theirs.toFixed(3)}`]
      })
  })
