import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { bulkJson, bulkTable, measureBulk, missesBulk } from './bulk.ts'
import { lagJson, lagTable, measureLag, targetP99Ms } from './eventstoredb.ts'
import { measureHttp } from './http.ts'
import { httpJson, httpTable } from './http-report.ts'
import { latencyJson, latencyResults, latencyTable, measureLatency, missedLatency } from './latency.ts'
import { openOurs } from './ours.ts'
import { openPeer, pingerOf } from './peers/contender.ts'
import { loadPeers } from './peers/index.ts'
import type { Peer } from './peers/peer.ts'
import { measureProfiles, openCounting } from './profile/measure.ts'
import { profileJson, profileTable } from './profile/report.ts'
import { runProof } from './proof.ts'
import { openRaw } from './raw.ts'
import { measureReplay, missedReplay, replayJson, replayTable } from './replay.ts'
import { json, missed, type Row, results, type Sample, summarize, table } from './report.ts'
import { measureRuns } from './runs.ts'
import { openDatabase, settle } from './server.ts'
import { type PartialContender, type Work, works } from './work.ts'

/** What is measured instead of the rest. */
const modes: readonly string[] = [
  'quick',
  'http',
  'replay',
  'eventstoredb',
  'proof',
  'runs',
  'latency',
  'bulk',
  'profile',
  'peers',
]

const usage = `npm run bench -- [${modes.join(' | ')}] [--commands <n>] [--rounds <n>] [--json] [--check]

  quick            5,000 commands a work instead of 20,000
  http             instead of the rest: senders over HTTP, against the service in a process of its own; nothing may be lost
  replay           instead of the rest: fold, history, and a rebuild of the read table while commands are sent
  --senders <n>    of http: how many send at once, 200 unless told
  eventstoredb     instead of the rest: how far rows and messages are behind a log in EventStoreDB, at a fixed rate;
                   EVENTSTORE_URL names a server (one for this alone), else the test double stands in
  --rate <n>       of eventstoredb: events a second, 1,000 unless told
  --seconds <n>    of http and eventstoredb: for how long, 30 unless told
  proof            instead of the rest: 100,000 commands by chance but legal, verified clean, then tampered with in every way
  runs             instead of the rest: 10 workflow runs over 1,000 files, a fifth of which fail, finish, are continued, and
                   finish again
  latency          from send to the start of the handler on an idle system, beside a notification by hand
  bulk             10,000 commands that failed for good, retried by one action
  profile          where the time of a command goes, in Node and in PostgreSQL; of each work, or of those named after it:
                   ${works.join(', ')}
  --out <folder>   of profile: where the .cpuprofile files go, dist-bench/profiles unless told
  peers            the same works and the latency, beside pg-boss, graphile-worker and BullMQ on the same PostgreSQL; installs
                   them in bench/peers first; takes half an hour or more, half of that with quick
  --commands <n>   commands a work
  --rounds <n>     rounds, 3 unless told; medians are shown
  --json           one JSON object on standard output (npm itself is quiet with: npm run -s bench -- --json)
  --check          exit 1 when a ratio is below its target`

class UsageError extends Error {}
class Interrupted extends Error {}

const parse = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        commands: { type: 'string' },
        rounds: { type: 'string' },
        senders: { type: 'string' },
        seconds: { type: 'string' },
        rate: { type: 'string' },
        out: { type: 'string', default: 'dist-bench/profiles' },
        json: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

const positive = (name: string, text: string | undefined, otherwise: number): number => {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError(`--${name} must be a whole number above 0, not ${text}`)
  return value
}

const readOptions = () => {
  const { values, positionals } = parse()
  const named = works.filter(work => positionals.includes(work))
  const words = positionals.filter(word => !works.some(work => work === word))
  const unknown = words.find(word => !modes.includes(word))
  if (unknown !== undefined) throw new UsageError(`${unknown} is not a mode; there are only: ${modes.join(', ')}`)
  if (named.length > 0 && !words.includes('profile'))
    throw new UsageError(`${named[0]} can be chosen for a profile only: npm run bench -- profile ${named[0]}`)
  return {
    commands: positive('commands', values.commands, positionals.includes('quick') ? 5_000 : 20_000),
    rounds: positive('rounds', values.rounds, 3),
    mode: words.find(word => word !== 'quick'),
    works: named.length > 0 ? named : works,
    out: values.out,
    rate: positive('rate', values.rate, 1_000),
    senders: positive('senders', values.senders, 200),
    seconds: positive('seconds', values.seconds, 30),
    json: values.json,
    check: values.check,
    help: values.help,
  }
}

type Options = ReturnType<typeof readOptions>

/** A batch is over so soon that less than this says nothing. */
const leastBulk = 20_000
const warmUpCommands = 500

const amount = (work: Work, commands: number): number =>
  work === 'send-bulk' ? Math.max(commands, leastBulk) : commands

const say = (text: string) => process.stderr.write(`${text}\n`)

/** Ends the run after the measurement under way, so that the server and its files are removed; asked twice, at once. */
const interruptible = (): (() => void) => {
  let interrupted = false
  const interrupt = () => {
    interrupted = true
    say('Stopping after this measurement.')
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt)
  return () => {
    if (interrupted) throw new Interrupted()
  }
}

/** Raw and ours take turns within a round, and who begins changes from round to round. */
const runRounds = async (
  contenders: readonly PartialContender[],
  { commands, rounds }: Options,
): Promise<readonly Sample[]> => {
  const samples: Sample[] = []
  const checkInterrupt = interruptible()
  for (const { measure } of contenders) for (const work of works) await measure[work]?.(warmUpCommands)
  for (let round = 1; round <= rounds; round++) {
    const order = round % 2 === 1 ? contenders : contenders.toReversed()
    for (const work of works)
      for (const { variant, measure } of order) {
        checkInterrupt()
        const rate = await measure[work]?.(amount(work, commands))
        if (rate === undefined) continue
        samples.push({ work, variant, round, rate })
        say(`round ${round} of ${rounds}: ${work} ${variant} ${Math.round(rate).toLocaleString('en-US')} a second`)
      }
  }
  return samples
}

/** Raw, ours and the peers on one server, with one connection string. */
const compare = async (url: string, options: Options, peers: readonly Peer[] = []): Promise<readonly Row[]> => {
  const contenders: PartialContender[] = []
  const between = () => settle(url)
  try {
    contenders.push(await openRaw(url, between))
    contenders.push(await openOurs(url, between))
    for (const peer of peers) contenders.push(await openPeer(peer, url, between))
    const samples = await runRounds(contenders, options)
    const variants = contenders.map(contender => contender.variant)
    return summarize(samples, variants)
  } finally {
    for (const contender of contenders) await contender.close()
  }
}

const bench = async (options: Options): Promise<number> => {
  const database = await openDatabase()
  try {
    say(`${database.about}, ${availableParallelism()} cores, Node ${process.versions.node}`)
    const rows = await compare(database.url, options)
    process.stdout.write(`${options.json ? json(rows) : table(rows)}\n`)
    const misses = options.check ? missed(rows) : []
    for (const miss of misses) say(miss)
    return misses.length === 0 ? 0 : 1
  } finally {
    await database.release()
  }
}

const benchPeers = async (options: Options): Promise<number> => {
  const peers = await loadPeers()
  const check = interruptible()
  const database = await openDatabase()
  try {
    say(`${database.about}, ${availableParallelism()} cores, Node ${process.versions.node}`)
    const rows = await compare(database.url, options, peers)
    say('latency: some minutes')
    const figures = await measureLatency(database.url, {
      sends: Math.min(SENDS, options.commands),
      check,
      settle: () => settle(database.url),
      others: peers.filter(peer => peer.measuresLatency).map(pingerOf),
    })
    const both = { results: [...results(rows), ...latencyResults(figures)] }
    process.stdout.write(options.json ? `${JSON.stringify(both)}\n` : `${table(rows)}\n\n${latencyTable(figures)}\n`)
    const misses = options.check ? [...missed(rows), ...missedLatency(figures)] : []
    for (const miss of misses) say(miss)
    return misses.length === 0 ? 0 : 1
  } finally {
    await database.release()
  }
}

/** Beside it the rate of `pgmq.send` by hand on 10 connections, measured right before on the same server. */
const benchHttp = async (options: Options): Promise<number> => {
  const check = interruptible()
  const database = await openDatabase()
  try {
    say(`${database.about}, ${availableParallelism()} cores, Node ${process.versions.node}`)
    const raw = await openRaw(database.url, () => settle(database.url))
    const rawRate = await raw.measure['send-10'](options.commands).finally(raw.close)
    say(`raw: ${Math.round(rawRate).toLocaleString('en-US')} a second through pgmq.send`)
    const figures = await measureHttp(database.url, { senders: options.senders, seconds: options.seconds, check })
    process.stdout.write(`${options.json ? httpJson(figures, rawRate) : httpTable(figures, rawRate)}\n`)
    return 0
  } finally {
    await database.release()
  }
}

const benchEventStoreDb = async (options: Options): Promise<number> => {
  const check = interruptible()
  const database = await openDatabase()
  try {
    say(`${database.about}, ${availableParallelism()} cores, Node ${process.versions.node}`)
    const figures = await measureLag(database.url, { rate: options.rate, seconds: options.seconds, check })
    process.stdout.write(`${options.json ? lagJson(figures) : lagTable(figures)}\n`)
    return options.check && figures.p99Ms > targetP99Ms ? 1 : 0
  } finally {
    await database.release()
  }
}

/** Of a thousand, the slowest ten make the 99th percentile. */
const SENDS = 1_000

/** A rebuild of less says nothing: it is over before the writers notice. */
const leastRebuilt = 50_000

const benchReplay = async ({ commands, json: asJson, check }: Options): Promise<number> => {
  const database = await openDatabase()
  try {
    say(`${database.about}, ${availableParallelism()} cores, Node ${process.versions.node}`)
    const figures = await measureReplay(database.url, Math.max(commands, leastRebuilt), say)
    process.stdout.write(`${asJson ? replayJson(figures) : replayTable(figures)}\n`)
    const misses = check ? missedReplay(figures) : []
    for (const miss of misses) say(miss)
    return misses.length === 0 ? 0 : 1
  } finally {
    await database.release()
  }
}

const benchLatency = async (options: Options): Promise<number> => {
  const check = interruptible()
  const database = await openDatabase()
  try {
    say(`${database.about}, ${availableParallelism()} cores, Node ${process.versions.node}`)
    const figures = await measureLatency(database.url, { sends: SENDS, check, settle: () => settle(database.url) })
    process.stdout.write(`${options.json ? latencyJson(figures) : latencyTable(figures)}\n`)
    const misses = options.check ? missedLatency(figures) : []
    for (const miss of misses) say(miss)
    return misses.length === 0 ? 0 : 1
  } finally {
    await database.release()
  }
}

const PARKED = 10_000

const benchBulk = async ({ rounds, json: asJson, check: asked }: Options): Promise<number> => {
  const check = interruptible()
  const database = await openDatabase()
  try {
    say(`${database.about}, ${availableParallelism()} cores, Node ${process.versions.node}`)
    const rates = await measureBulk(database.url, { commands: PARKED, rounds, say, check })
    process.stdout.write(`${asJson ? bulkJson(rates) : bulkTable(rates)}\n`)
    return asked && missesBulk(rates) ? 1 : 0
  } finally {
    await database.release()
  }
}

const RUNS = 10
const FILES_A_RUN = 1_000

async function benchRuns(options: Options): Promise<number> {
  const check = interruptible()
  const database = await openDatabase()
  try {
    say(`${database.about}, ${availableParallelism()} cores, Node ${process.versions.node}`)
    const figures = await measureRuns(database.url, { runs: RUNS, files: FILES_A_RUN, say, check })
    const lines = figures.map(({ phase, files, seconds }) => {
      const rate = Math.round(files / seconds).toLocaleString('en-US')
      return `${phase.padEnd(20)} ${String(files).padStart(6)} files ${seconds.toFixed(1).padStart(6)} s ${rate.padStart(8)} a second`
    })
    process.stdout.write(`${options.json ? JSON.stringify(figures) : lines.join('\n')}\n`)
    return 0
  } finally {
    await database.release()
  }
}

const benchProfile = async (options: Options): Promise<number> => {
  const check = interruptible()
  const database = await openCounting(say)
  try {
    say(`${database.about}, ${availableParallelism()} cores, Node ${process.versions.node}`)
    const profiles = await measureProfiles(database.url, {
      works: options.works,
      commands: work => amount(work, options.commands),
      folder: options.out,
      check,
    })
    process.stdout.write(`${options.json ? profileJson(profiles) : profiles.map(profileTable).join('\n\n')}\n`)
    return 0
  } finally {
    await database.release()
  }
}

const instead: Readonly<Record<string, (options: Options) => Promise<number>>> = {
  http: benchHttp,
  replay: benchReplay,
  eventstoredb: benchEventStoreDb,
  proof: () => runProof(100_000),
  runs: benchRuns,
  latency: benchLatency,
  bulk: benchBulk,
  profile: benchProfile,
  peers: benchPeers,
}

const main = async (): Promise<number> => {
  try {
    const options = readOptions()
    const chosen = instead[options.mode ?? ''] ?? bench
    if (!options.help) return await chosen(options)
    process.stdout.write(`${usage}\n`)
    return 0
  } catch (error) {
    if (error instanceof Interrupted) return 130
    if (!(error instanceof UsageError)) throw error
    say(`${error.message}\n\n${usage}`)
    return 2
  }
}

process.exitCode = await main()
