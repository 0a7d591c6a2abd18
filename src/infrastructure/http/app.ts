import cors from '@fastify/cors'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import { type BaseOptions, createBaseApp } from './base-app.ts'
import { addEvents } from './handlers/events.ts'
import { addConsole, type ConsoleFiles } from './pages/console.ts'
import { addDocs } from './pages/docs.ts'
import { addPage, type PageFacts } from './pages/page.ts'
import { AGE_HEADER } from './requests/age.ts'
import { perMinute } from './requests/limits.ts'
import { type MountOptions, mountApi } from './requests/mount.ts'

export interface HttpOptions extends BaseOptions {
  readonly version: string
  /** Shown on the plain page at `/` when there is no console. */
  readonly facts: () => PageFacts
  /** The built console, served at `/`. */
  readonly console?: ConsoleFiles | null
  readonly api: MountOptions
  /** Origins whose pages may call; none by default. */
  readonly corsOrigins: readonly string[]
}

/** The HTTP side of the service; it does not listen yet. */
export const createHttpApp = async (options: HttpOptions): Promise<FastifyInstance> => {
  const app = await createBaseApp(options)
  if (options.corsOrigins.length > 0) {
    await app.register(cors, {
      origin: [...options.corsOrigins],
      methods: ['GET', 'POST', 'PUT', 'DELETE'],
      exposedHeaders: ['location', 'retry-after', 'link', AGE_HEADER],
      maxAge: 600,
    })
  }
  await app.register(rateLimit, { global: false })
  if (options.console) addConsole(app, options.console)
  else addPage(app, options.facts)
  addDocs(app, options.version)
  const countRead = perMinute(app, 'read', options.api.readsPerMinute)
  mountApi(app, options.api, countRead)
  addEvents(app, options.api, countRead)
  return app
}
