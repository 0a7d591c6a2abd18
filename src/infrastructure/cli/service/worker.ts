import type { Command } from 'commander'
import { allTelemetry } from '../../../application/ports/telemetry.ts'
import { InvalidInputError } from '../../../application/shared/errors.ts'
import { defined, domainOf } from '../../../application/shared/input.ts'
import type { CommandBus } from '../../../command-bus.ts'
import { demoDomains, demoLeaseSeconds } from '../../demo/index.ts'
import type { HealthReport } from '../../http/pages/health.ts'
import { openDatabase } from '../../service/database.ts'
import { listenForStop } from '../../service/signals.ts'
import { workerHealth } from '../../service/worker-health.ts'
import type { WorkerReport } from '../../service/worker-report.ts'
import { readConfig } from '../../settings/config.ts'
import { dieWithParent } from '../../shared/die-with-parent.ts'
import { loadWith } from '../../shared/optional-packages.ts'
import { buildOf } from '../../worker/announcing/build.ts'
import { definitionOf } from '../../worker/attempt/handler.ts'
import { poolSizeFor } from '../../worker/client/connections.ts'
import type { Worker, WorkerOptions } from '../../worker/worker-api.ts'
import { laterBus } from '../support/bus-for-handlers.ts'
import type { CliDeps } from '../support/deps.ts'
import { UsageError } from '../support/failure.ts'
import { loadHandlers } from '../support/handlers-module.ts'
import { numberOf } from '../support/input.ts'
import { logOf } from '../support/session.ts'
import { print, printJson } from '../text/output.ts'

interface Options {
  readonly demo?: true
  readonly domain?: string
  readonly handlers?: string
  readonly concurrency: number
  readonly lease?: number
  readonly handlerTimeout?: number
  readonly deferUnknown?: number
  readonly adoptStrangers?: true
  readonly build?: string
  readonly deadline: number
  readonly port?: string
  readonly host?: string
  readonly json?: true
}

const REPORT_EVERY_MS = 250
const SETTLES_MS = 2_000
/** A worker whose service was killed ends soon: its handlers within the first, its process within the second. */
const ORPHAN_DEADLINE_MS = 3_000
const ORPHAN_GRACE_MS = 10_000
/** One report in so many has metrics: they are large, and nobody scrapes that often. */
const METRICS_EVERY = 8

export const addWorker = (program: Command, deps: CliDeps): void => {
  program
    .command('worker')
    .description('handle commands until it is stopped (Ctrl-C)')
    .option(
      '--handlers <module>',
      'a module that exports `handlers`, by domain and command type, or a function that makes them',
    )
    .option('--domain <domain>', 'work on this domain only')
    .option('--demo', 'work on domains demo, operations and workflow with the demo handlers')
    .option('--concurrency <n>', 'handlers at once in each domain, 1-1000', numberOf('--concurrency'), 10)
    .option(
      '--lease <seconds>',
      'after this time another worker takes over from one that died (default: 30)',
      numberOf('--lease'),
    )
    .option(
      '--handler-timeout <seconds>',
      'deadline of handlers that set none (default: 900)',
      numberOf('--handler-timeout'),
    )
    .option(
      '--defer-unknown <seconds>',
      'leave commands of types without a handler to other workers for so long, 1-86400 (default: park them at once)',
      numberOf('--defer-unknown'),
    )
    .option('--adopt-strangers', 'make commands of messages that other programs put on the queues')
    .option(
      '--build <text>',
      'the version or commit of the handlers (default: COMMANDBUS_BUILD, or that of their package.json)',
    )
    .option('--deadline <seconds>', 'how long a stop waits for handlers', numberOf('--deadline'), 30)
    .option('--port <port>', 'where health and metrics are served; 0 for any free port (default: PORT, or nowhere)')
    .option('--host <host>', 'the address they are served at (default: HOST, or 127.0.0.1)')
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const later = laterBus()
      const plans = await plansOf(options, later.bus)
      await runWorkers(deps, plans, options, later.open)
    })
}

/** @throws UsageError, InvalidInputError */
const plansOf = async (options: Options, bus: unknown): Promise<readonly WorkerOptions[]> => {
  const domain = options.domain === undefined ? undefined : domainOf(options.domain)
  const { concurrency, lease, handlerTimeout, deferUnknown, demo } = options
  const build = options.build ?? buildOf(undefined, options.handlers)
  const limits: Pick<WorkerOptions, 'handlerTimeoutMs' | 'onUnknownType' | 'adoptStrangers' | 'build'> = {
    ...(build === undefined ? {} : { build }),
    ...(handlerTimeout === undefined ? {} : { handlerTimeoutMs: handlerTimeout * 1000 }),
    ...(deferUnknown === undefined ? {} : { onUnknownType: { deferSeconds: deferUnknown } }),
    ...(options.adoptStrangers ? { adoptStrangers: true } : {}),
  }
  if (options.handlers === undefined && !demo)
    throw new UsageError('choose what to handle: --handlers <module>, or --demo')
  if (demo && options.handlers === undefined && domain !== undefined && !demoDomains.has(domain)) {
    const known = [...demoDomains.keys()].join(' and ')
    throw new UsageError(`--demo works on domains ${known}: name one of them, leave --domain out, or give --handlers`)
  }
  if (concurrency < 1 || concurrency > 1000) throw new InvalidInputError('--concurrency', 'must be from 1 to 1000')
  if (lease !== undefined && (lease < 1 || lease > 43_200))
    throw new InvalidInputError('--lease', 'must be from 1 to 43200')
  if (handlerTimeout !== undefined && (handlerTimeout < 1 || handlerTimeout > 2_147_483))
    throw new InvalidInputError('--handler-timeout', 'must be from 1 to 2147483')
  if (deferUnknown !== undefined && (deferUnknown < 1 || deferUnknown > 86_400))
    throw new InvalidInputError('--defer-unknown', 'must be from 1 to 86400')
  if (options.deadline < 0 || options.deadline > 3600)
    throw new InvalidInputError('--deadline', 'must be from 0 to 3600')
  const given =
    options.handlers === undefined ? new Map() : await loadHandlers(options.handlers, domain, { bus, rehearsal: false })
  const plans: WorkerOptions[] = [...given].map(([name, handlers]) => ({
    domain: domainOf(name),
    handlers,
    concurrency,
    ...limits,
    ...(lease === undefined ? {} : { leaseSeconds: lease }),
  }))
  if (!demo) return plans
  const only = options.handlers === undefined ? domain : undefined
  const demos = [...demoDomains].filter(([name]) => !given.has(name) && (only === undefined || only === name))
  return [
    ...plans,
    ...demos.map(([name, handlers]) => ({
      domain: name,
      handlers,
      concurrency,
      ...limits,
      leaseSeconds: lease ?? demoLeaseSeconds,
    })),
  ]
}

const runWorkers = async (
  deps: CliDeps,
  plans: readonly WorkerOptions[],
  options: Options,
  onOpen: (bus: CommandBus) => void,
): Promise<void> => {
  const { port, host } = options
  const config = readConfig(deps.env, defined({ host, port }))
  const supervised = process.send !== undefined
  // a supervised worker reports to its service, which itself listens on PORT
  const listenAt = supervised && port === undefined ? undefined : config.port
  const [{ createLogger }, { createMetrics }, { createTracing }, pages] = await loadWith(
    '`commandbus worker`',
    [
      'telemetry',
      ...(listenAt === undefined ? [] : (['pages'] as const)),
      ...(config.databaseUrl === undefined ? (['embedded'] as const) : []),
    ],
    () =>
      Promise.all([
        import('../../telemetry/logger.ts'),
        import('../../telemetry/metrics.ts'),
        import('../../telemetry/tracing.ts'),
        listenAt === undefined ? null : import('../../service/worker-http.ts'),
      ]),
  )
  const log = createLogger({ level: config.logLevel, name: 'worker' })
  const stop = listenForStop()
  // the service that supervises this process is gone
  let orphaned = false
  const onOrphaned = (): void => {
    orphaned = true
    stop.ask('the end of the service')
  }
  if (supervised) {
    dieWithParent({ graceMs: ORPHAN_GRACE_MS, onGone: onOrphaned })
    process.on('disconnect', onOrphaned)
  }
  const deadlineMs = () => Math.min(options.deadline * 1000, orphaned ? ORPHAN_DEADLINE_MS : Number.POSITIVE_INFINITY)
  let bus: CommandBus | undefined
  const workers: { readonly domain: string; readonly worker: Worker }[] = []
  const health = (): HealthReport =>
    workerHealth({ workers, follower: bus?.follower?.health(), stopping: stop.requested() })
  const metrics = createMetrics({
    processMetrics: listenAt !== undefined,
    follower: () => bus?.follower?.health() ?? null,
    log,
  })
  // first, as in the service: a port in use is found before anything else is started
  const http =
    listenAt === undefined ? undefined : await pages?.serveWorkerHttp({ config, port: listenAt, health, metrics, log })
  try {
    const database = await openDatabase(config)
    let reports: NodeJS.Timeout | undefined
    try {
      const opened = deps.createBus({
        ...logOf(config),
        databaseUrl: database.url,
        maxConnections: connectionsFor(plans),
        log,
        telemetry: allTelemetry(metrics.telemetry, createTracing()),
      })
      bus = opened
      onOpen(opened)
      for (const plan of plans) workers.push({ domain: plan.domain, worker: opened.worker(plan) })
      deps.beforeCrash(error => Promise.all(workers.map(({ worker }) => worker.crashed(error))))
      for (const { worker } of workers) await worker.start()
      const names = workers.map(({ domain, worker }) => ({ domain, workerId: worker.workerId }))
      log.info({ workers: names, concurrency: options.concurrency }, 'working')
      if (supervised)
        reports = startReports(async withMetrics => ({
          kind: 'worker-report',
          workers: names,
          health: health(),
          ...(withMetrics ? { metrics: await metrics.snapshot() } : {}),
        }))
      if (options.json)
        printJson({ pid: process.pid, workers: names, ...(http === undefined ? {} : { url: http.url }) })
      else {
        const served = http === undefined ? '' : ` Health and metrics are at ${http.url}.`
        print(`Working on ${plans.map(plan => plan.domain).join(', ')}.${served} Ctrl-C stops.`)
      }
      log.info({ why: await stop.promise }, 'stopping')
    } finally {
      clearInterval(reports)
      await Promise.all(workers.map(({ worker }) => worker.stop({ deadlineMs: deadlineMs() })))
      await bus?.close()
      await database.release()
    }
  } finally {
    await http?.close()
    stop.dispose()
  }
}

/** Transactional handlers hold a connection each: the pool has room for as many as may run at once. */
const connectionsFor = (plans: readonly WorkerOptions[]): number => {
  const held = plans.filter(({ handlers = {} }) =>
    Object.values(handlers).some(handler => definitionOf(handler).transactional === true),
  )
  const handlers = held.reduce((sum, { concurrency = 0 }) => sum + concurrency, 0)
  return Math.max(10, poolSizeFor(handlers))
}

const startReports = (report: (withMetrics: boolean) => Promise<WorkerReport>): NodeJS.Timeout => {
  const began = Date.now()
  let count = 0
  return setInterval(async () => {
    const now = await report(count++ % METRICS_EVERY === 0)
    // at the start, connections that are still being made are not reported
    const settling = now.health.status !== 'healthy' && Date.now() - began < SETTLES_MS
    // if the channel closes meanwhile, `disconnect` reports it
    if (!settling && process.connected) process.send?.(now, () => {})
  }, REPORT_EVERY_MS)
}
