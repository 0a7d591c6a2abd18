import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { CommandBusError } from '../../application/errors.ts'
import { addDocs } from './docs.ts'
import { addHealth, type HealthReport } from './health.ts'
import { type MountOptions, mountApi } from './mount.ts'
import { addPage, type PageFacts } from './page.ts'
import { addProblems } from './problem.ts'

export interface HttpOptions {
  readonly log: FastifyBaseLogger
  readonly version: string
  /** Asked at every `/health/ready`. */
  readonly health: () => Promise<HealthReport>
  /** What the page at `/` tells. */
  readonly facts: () => PageFacts
  readonly api: MountOptions
  /** Origins whose pages may call; none by default. */
  readonly corsOrigins: readonly string[]
}

const REQUEST_MS = 30_000
const HEADERS_MS = 10_000
const KEEP_ALIVE_MS = 72_000
const BODY_BYTES = 1_048_576
const MAX_PARAM = 500

/** The HTTP side of the service; it does not listen yet. */
export const createHttpApp = async (options: HttpOptions): Promise<FastifyInstance> => {
  const app = Fastify({
    loggerInstance: options.log,
    disableRequestLogging: true,
    requestIdHeader: false,
    routerOptions: { maxParamLength: MAX_PARAM },
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    bodyLimit: BODY_BYTES,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    // a client that sends its head or its body drop by drop is cut off within a second of its limit
    http: { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: 1_000 },
  })
  addProblems(app)
  acceptEmptyJson(app)
  await app.register(helmet, { contentSecurityPolicy: false, global: true })
  if (options.corsOrigins.length > 0) {
    await app.register(cors, { origin: [...options.corsOrigins], methods: ['GET', 'POST', 'DELETE'], maxAge: 600 })
  }
  await app.register(rateLimit, {
    global: false,
    errorResponseBuilder: (_, { after }) =>
      new CommandBusError('RATE_LIMITED', `too many writes with this token: try again in ${after}`),
  })
  addHealth(app, options.health)
  addPage(app, options.facts)
  addDocs(app, options.version)
  mountApi(app, options.api)
  return app
}

/** `content-type: application/json` without a body is a request without a body. */
const acceptEmptyJson = (app: FastifyInstance): void => {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else parse(request, body as string, done)
  })
}
