import { type Mode, onDatabase, say } from '../mode.ts'
import { commandsOf } from '../options.ts'
import { notAhead } from '../peers/ahead.ts'
import { pingerOf } from '../peers/contender.ts'
import { loadPeers } from '../peers/index.ts'
import { missed, results, table } from '../report.ts'
import { compare } from '../rounds.ts'
import { settle } from '../server.ts'
import { latencyResults, latencyTable, measureLatency, missedLatency, ownPingers, SENDS } from './latency.ts'

export const peers: Mode = {
  usage: [
    'peers            the same works and the latency, beside pg-boss, graphile-worker and BullMQ on the same PostgreSQL; installs',
    '                 them in bench/peers first; takes half an hour or more, half of that with quick',
  ],
  run: async options => {
    // before there is a server, as they may have to be installed
    const all = await loadPeers()
    const measure = onDatabase(async ({ database, check }) => {
      const rows = await compare(database.url, options, check, all)
      say('latency: some minutes')
      const figures = await measureLatency(database.url, {
        sends: Math.min(SENDS, commandsOf(options)),
        check,
        settle: () => settle(database.url),
        pingers: [...ownPingers, ...all.filter(peer => peer.measuresLatency).map(pingerOf)],
      })
      return {
        table: `${table(rows)}\n\n${latencyTable(figures)}`,
        json: JSON.stringify({ results: [...results(rows), ...latencyResults(figures)] }),
        misses: [...missed(rows), ...missedLatency(figures), ...notAhead(rows, all)],
      }
    })
    return measure(options)
  },
}
