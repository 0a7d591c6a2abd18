import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Pool } from 'pg'
import type { Logger } from 'pino'
import { roles } from '../../application/ports/authorization.ts'
import { allTelemetry } from '../../application/ports/telemetry.ts'
import { UnavailableError } from '../../application/shared/errors.ts'
import { defined } from '../../application/shared/input.ts'
import type { CommandBus, CommandBusOptions, CreateCommandBus } from '../../command-bus.ts'
import { demoCommands, demoDomain } from '../demo/index.ts'
import { createHttpApp } from '../http/app.ts'
import { createBaseApp } from '../http/base-app.ts'
import { createHandlers } from '../http/handlers/handlers.ts'
import { createIdentify, type IdentityOptions } from '../http/identity/identity.ts'
import { signToken } from '../http/identity/token.ts'
import { closeHttp, listen } from '../http/listen.ts'
import { readConsole } from '../http/pages/console.ts'
import type { HealthReport } from '../http/pages/health.ts'
import { createWatch } from '../http/pages/watch.ts'
import { readDatabaseStats } from '../postgres/stats/database-stats.ts'
import { createPool } from '../postgres/transactions/pool.ts'
import { type BackgroundCheck, createBackgroundCheck } from '../proof/background-check.ts'
import { alertsOf, type Config, DEFAULT_PORT } from '../settings/config.ts'
import { identityOptions } from '../settings/identity-options.ts'
import { keepSeal, signerOf } from '../settings/proof-home.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { createTracing } from '../telemetry/tracing.ts'
import { CHECK_MS, checkHealth, followerCheck } from './checks.ts'
import { type Database, openDatabase } from './database.ts'
import { type Description, describeService } from './describe.ts'
import { type Claim, claimHome } from './home.ts'
import { watchParent } from './parent.ts'
import { listenForStop, type Stop } from './signals.ts'
import { type Supervisor, startSupervisor } from './supervisor.ts'

export interface ServiceOptions {
  readonly config: Config
  readonly demo: boolean
  /** A module of handlers for rehearsals, beside the demo's. */
  readonly rehearseWith?: string
  readonly createBus: CreateCommandBus
  readonly version: string
  /** The file to run for the worker process. */
  readonly program: string
  readonly env: { readonly [name: string]: string | undefined }
  readonly log: Logger
  /** The subject of the token that it prints. */
  readonly user: string
  /** Called when everything is ready. */
  readonly onReady: (description: Description) => void
}

interface Parts {
  claim?: Claim
  app?: FastifyInstance
  /** Serves metrics without a token. */
  metricsApp?: FastifyInstance
  database?: Database
  bus?: CommandBus
  /** For the background check of the proof, and scrapes of the metrics. */
  pool?: Pool
  /** For health checks, which must not wait for other work. */
  checks?: Pool
  supervisor?: Supervisor
  backgroundCheck?: BackgroundCheck
}

const WORKER_DEADLINE_S = 15
/** How long a send over HTTP waits for its row, so that the sender can read it. */
const DISPATCH_MS = 1_000
const WORKER_STARTS_MS = 20_000

/** Runs until it is asked to stop, then ends its parts in an order that loses nothing. */
export const runService = async (options: ServiceOptions): Promise<void> => {
  const { log } = options
  const parts: Parts = {}
  const stop = listenForStop(() => parts.supervisor?.kill())
  const unwatch = watchParent(options.env, () => stop.ask('the end of npm'))
  try {
    await startUp(options, parts, stop)
    log.info({ why: await stop.promise }, 'stopping')
  } finally {
    unwatch()
    await shutDown(parts, log)
    stop.dispose()
  }
}

/** Listens first: a port in use fails before anything is started, and health answers from the beginning. */
const startUp = async (options: ServiceOptions, parts: Parts, stop: Stop): Promise<void> => {
  const { config, demo, log } = options
  const embedded = config.databaseUrl === undefined
  if (embedded) parts.claim = await claimHome(config.home)
  let url = ''
  const describe = () => describeService({ ...options, url, database: parts.database })
  const identity = await identityOptions(config)
  const identify = createIdentify(identity)
  const proof = () => parts.backgroundCheck?.stats() ?? null
  const metrics = createMetrics({
    proof,
    database: async () => {
      if (parts.pool === undefined) throw new UnavailableError('the service is starting')
      return readDatabaseStats(parts.pool, config.lateReplySeconds)
    },
    ...(config.eventStoreUrl === undefined ? {} : { follower: () => parts.bus?.follower?.health() ?? null }),
    pools: () => (parts.checks === undefined ? {} : { checks: parts.checks }),
    processMetrics: true,
    log,
  })
  const page = {
    contentType: metrics.contentType,
    page: () => metrics.page(parts.supervisor === undefined ? [] : [parts.supervisor.metrics()]),
  }
  const app = await createHttpApp({
    log,
    version: options.version,
    health: { health: () => health(parts, demo) },
    watch: createWatch(identify),
    facts: describe,
    console: await readConsole(join(dirname(options.program), 'web')),
    api: {
      identify,
      callerOf: (identity, reading) => {
        if (parts.bus === undefined) throw new UnavailableError('the service is starting: try again in a moment')
        return parts.bus.as(identity, reading)
      },
      handlers: createHandlers({ proof }),
      writesPerMinute: config.writesPerMinute,
      readsPerMinute: config.readsPerMinute,
      readTimeoutMs: config.readTimeoutMs,
      liveReadersPerToken: config.liveReadersPerToken,
    },
    corsOrigins: config.corsOrigins,
    metrics: { ...page, open: false },
  })
  parts.app = app
  url = await listen(app, config.host, config.port ?? DEFAULT_PORT)
  if (config.metricsPort !== undefined) {
    parts.metricsApp = await createBaseApp({ log, watch: null, metrics: { ...page, open: true } })
    await listen(parts.metricsApp, config.host, config.metricsPort, 'COMMANDBUS_METRICS_PORT')
  }
  await parts.claim?.update({ url, stopping: false })
  if (stop.requested()) return

  parts.database = await openDatabase(config, { supervise: true, log: line => log.info({}, line) })
  if (stop.requested()) return
  const { databaseTimeoutMs, eventStoreUrl, eventStorePrefix, replyQueues, maxQueues, newQueuesPerHour } = config
  const lateAfterSeconds = config.lateReplySeconds
  parts.bus = options.createBus({
    databaseUrl: parts.database.url,
    ...defined({ databaseTimeoutMs, eventStoreUrl, eventStorePrefix, replyQueues, maxQueues, newQueuesPerHour }),
    lateAfterSeconds,
    alerts: alertsOf(config),
    readTimeoutMs: config.readTimeoutMs,
    waitForDispatchMs: DISPATCH_MS,
    log,
    telemetry: allTelemetry(metrics.telemetry, createTracing()),
    ...rehearsalsOf(options),
  })
  await parts.bus.ready()
  // values that an interrupted declaration did not write; a failure is logged when it is declared again
  void parts.bus.search.settle().catch(error => log.warn({ err: error }, 'values to search by are not complete'))
  parts.pool = createPool(parts.database.url, 3, config.databaseTimeoutMs)
  parts.checks = createPool(parts.database.url, 2, CHECK_MS)
  parts.backgroundCheck = await startBackgroundCheck(parts.pool, config, log)
  if (demo && !stop.requested()) {
    const sent = await parts.bus.sendBatch(demoDomain, demoCommands)
    log.info({ sent: sent.filter(({ outcome }) => outcome === 'accepted').length }, 'the demo commands are there')
    parts.supervisor = startSupervisor({
      command: [options.program, 'worker', '--demo', '--deadline', String(WORKER_DEADLINE_S)],
      env: { ...options.env, COMMANDBUS_HOME: config.home },
      log,
      deadlineMs: (WORKER_DEADLINE_S + 5) * 1000,
    })
    await Promise.race([parts.supervisor.working, stop.promise, delay(WORKER_STARTS_MS, undefined, { ref: false })])
  }
  if (!stop.requested()) parts.bus.actions.run().catch(error => log.error({ err: error }, 'bulk actions have stopped'))
  if (!stop.requested())
    parts.bus.runs.run().catch(error => log.error({ err: error }, 'workflow runs are not followed'))
  if (!stop.requested())
    parts.bus.schedules.carryOut().catch(error => log.error({ err: error }, 'schedules are not followed'))
  if (!stop.requested()) parts.bus.alerts.run().catch(error => log.error({ err: error }, 'alerts are not sent'))
  if (!stop.requested()) parts.bus.figures.count().catch(error => log.error({ err: error }, 'figures are not counted'))
  // what has ended is counted once in a process: nobody has to wait for it
  const reader = parts.bus.as({ subject: 'service', tenant: null, roles: ['ADMIN'] })
  if (!stop.requested()) reader.stats().catch(error => log.debug({ err: error }, 'commands are not counted yet'))
  if (!stop.requested()) options.onReady({ ...describe(), ...(await ownToken(options, identity)) })
}

/** Handlers live in worker processes; for a rehearsal one is started that has the same ones. */
const rehearsalsOf = ({ demo, rehearseWith, program, env }: ServiceOptions): Pick<CommandBusOptions, 'rehearsals'> => {
  if (!demo && rehearseWith === undefined) return {}
  const flags = [...(demo ? ['--demo'] : []), ...(rehearseWith === undefined ? [] : ['--handlers', rehearseWith])]
  return { rehearsals: { command: [program, 'rehearsal', ...flags], env, hasCodecs: rehearseWith !== undefined } }
}

/** Seals are unsigned where no key can be stored. */
const startBackgroundCheck = async (pool: Pool, config: Config, log: Logger): Promise<BackgroundCheck> => {
  const signer = await signerOf(config).catch(error => {
    log.warn({ err: error }, 'there is no key to sign seals with, so they are not signed: set COMMANDBUS_PROOF_KEY')
    return null
  })
  const backgroundCheck = createBackgroundCheck({
    pool,
    signer,
    log,
    onSealed: (name, head) => keepSeal(config.home, name, head),
  })
  backgroundCheck.start()
  return backgroundCheck
}

const OWN_TOKEN_S = 12 * 3600

/** If the service signs with its own secret, it gives its owner a token with all roles for 12 hours. */
const ownToken = async (
  { config: { jwt }, user }: ServiceOptions,
  { secret, ...claims }: IdentityOptions,
): Promise<{ readonly token?: string }> => {
  if (secret === undefined || jwt.secret !== undefined) return {}
  const everything = { subject: user, tenant: null, roles }
  return { token: await signToken({ ...claims, secret }, everything, OWN_TOKEN_S) }
}

const shutDown = async (
  { claim, app, metricsApp, supervisor, backgroundCheck, bus, pool, checks, database }: Parts,
  log: Logger,
): Promise<void> => {
  const steps: readonly (readonly [part: string, end: () => Promise<unknown> | undefined])[] = [
    ['home', () => claim?.update({ url: null, stopping: true })],
    ['http', () => app && closeHttp(app)],
    ['metrics', () => metricsApp && closeHttp(metricsApp)],
    ['worker', () => supervisor?.stop()],
    ['background check', () => backgroundCheck?.stop()],
    ['bus', () => bus?.close()],
    ['stats', () => pool?.end()],
    ['checks', () => checks?.end()],
    ['database', () => database?.release()],
    ['home', () => claim?.release()],
  ]
  for (const [part, end] of steps) {
    try {
      await end()
    } catch (error) {
      log.error({ err: error, part }, 'a part did not end cleanly')
    }
  }
}

const health = async ({ checks, supervisor, bus, backgroundCheck }: Parts, demo: boolean): Promise<HealthReport> => {
  if (checks === undefined || (demo && supervisor === undefined)) {
    return { status: 'critical', reasons: ['the service is starting'], checks: {} }
  }
  const follower = bus?.follower ?? null
  return checkHealth(checks, {
    worker: supervisor === undefined ? undefined : () => supervisor.report().health,
    eventStore: follower === null ? undefined : () => followerCheck(follower.health()),
    proof: backgroundCheck?.health,
  })
}
