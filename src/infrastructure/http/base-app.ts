import type { Socket } from 'node:net'
import helmet from '@fastify/helmet'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { UnavailableError } from '../../application/shared/errors.ts'
import { addHealth, type HealthOptions } from './pages/health.ts'
import { addMetricsPage, type MetricsPage } from './pages/metrics-page.ts'
import type { Watch } from './pages/watch.ts'
import { answerBadAddress, answerBrokenRequest } from './requests/broken-request.ts'
import { parseBody } from './requests/parse-body.ts'
import { addProblems } from './requests/problem.ts'

export interface BaseOptions {
  readonly log: FastifyBaseLogger
  /** Without it there are no health pages. */
  readonly health?: HealthOptions
  /** Accepts callers who may see more of health than the status; null: nobody may. */
  readonly watch: Watch | null
  /** `/metrics`, for callers that `watch` accepts or, with `open`, for everybody. Without it there is no such page. */
  readonly metrics?: MetricsPage & { readonly open: boolean }
  /** Tests set smaller ones. */
  readonly limits?: Partial<HttpLimits>
}

export interface HttpLimits {
  /** For the headers of a request. */
  readonly headersMs: number
  /** For the whole request. */
  readonly requestMs: number
  /** How often late requests are looked for, and so how late one can end. */
  readonly checkMs: number
  /** An idle connection is closed after this long. */
  readonly keepAliveMs: number
  readonly headerBytes: number
  readonly bodyBytes: number
}

export const httpLimits: HttpLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  checkMs: 1_000,
  keepAliveMs: 72_000,
  headerBytes: 16_384,
  bodyBytes: 1_048_576,
}
const MAX_PARAM = 500

/** The HTTP part that every process has: limits, answers to broken requests, health and metrics. It does not listen yet. */
export const createBaseApp = async (options: BaseOptions): Promise<FastifyInstance> => {
  const limits = { ...httpLimits, ...options.limits }
  const app = Fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: false,
    routerOptions: { maxParamLength: MAX_PARAM },
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    bodyLimit: limits.bodyBytes,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: answerBadAddress,
    // a client that sends its headers or body too slowly is cut off
    http: {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: limits.checkMs,
      maxHeaderSize: limits.headerBytes,
    },
  })
  // an unknown `Expect` header is ignored: Node would answer it with an empty 417
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  addProblems(app)
  refuseWhenClosing(app)
  dropSilentWhenClosing(app)
  acceptJsonOnly(app)
  await app.register(helmet, { contentSecurityPolicy: false, global: true })
  const { health, metrics, watch } = options
  if (health !== undefined) addHealth(app, health, watch)
  if (metrics !== undefined && (metrics.open || watch !== null)) {
    addMetricsPage(app, metrics, metrics.open ? null : watch)
  }
  return app
}

/** Refuses new requests on connections that are still open; requests under way may finish. */
const refuseWhenClosing = (app: FastifyInstance): void => {
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.addHook('onRequest', async () => {
    if (closing) throw new UnavailableError('the service is stopping: try again in a moment')
  })
}

/** A connection that was opened in advance and never used would delay the stop: Node does not count it as idle. */
const dropSilentWhenClosing = (app: FastifyInstance): void => {
  const sockets = new Set<Socket>()
  app.server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  app.addHook('preClose', async () => {
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  })
}

/** JSON in UTF-8 and nothing else; `content-type: application/json` without a body is a request without a body. */
const acceptJsonOnly = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => {
    try {
      done(null, body.length === 0 ? undefined : parseBody(body as Buffer))
    } catch (error) {
      done(error as Error)
    }
  })
}
