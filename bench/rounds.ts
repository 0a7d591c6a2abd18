import { say } from './mode.ts'
import { commandsOf, type Options } from './options.ts'
import { openOurs } from './ours.ts'
import { openPeer } from './peers/contender.ts'
import type { Peer } from './peers/peer.ts'
import { openRaw } from './raw.ts'
import { type Row, type Sample, summarize } from './report.ts'
import { settle } from './server.ts'
import { type PartialContender, type Work, works } from './work.ts'

/** A batch is over so soon that less than this says nothing. */
const leastBulk = 20_000
const warmUpCommands = 500

/** How many commands a work is measured with. */
export const amount = (work: Work, options: Options): number =>
  work === 'send-bulk' ? Math.max(commandsOf(options), leastBulk) : commandsOf(options)

/** The contenders take turns within a round, and who begins changes from round to round. */
const runRounds = async (
  contenders: readonly PartialContender[],
  options: Options,
  check: () => void,
): Promise<readonly Sample[]> => {
  const { rounds } = options
  const samples: Sample[] = []
  for (const { measure } of contenders) for (const work of works) await measure[work]?.(warmUpCommands)
  for (let round = 1; round <= rounds; round++) {
    const order = round % 2 === 1 ? contenders : contenders.toReversed()
    for (const work of works)
      for (const { variant, measure } of order) {
        check()
        const rate = await measure[work]?.(amount(work, options))
        if (rate === undefined) continue
        samples.push({ work, variant, round, rate })
        say(`round ${round} of ${rounds}: ${work} ${variant} ${Math.round(rate).toLocaleString('en-US')} a second`)
      }
  }
  return samples
}

/** Raw, ours and the peers on one server, with one connection string. */
export const compare = async (
  url: string,
  options: Options,
  check: () => void,
  peers: readonly Peer[] = [],
): Promise<readonly Row[]> => {
  const contenders: PartialContender[] = []
  const between = () => settle(url)
  try {
    contenders.push(await openRaw(url, between))
    contenders.push(await openOurs(url, between))
    for (const peer of peers) contenders.push(await openPeer(peer, url, between))
    const samples = await runRounds(contenders, options, check)
    const variants = contenders.map(contender => contender.variant)
    return summarize(samples, variants)
  } finally {
    for (const contender of contenders) await contender.close()
  }
}
