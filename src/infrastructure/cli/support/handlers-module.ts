import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Handler, isHandler } from '../../worker/attempt/handler.ts'
import { noBus } from './bus-for-handlers.ts'
import { UsageError } from './failure.ts'

export type Handlers = { readonly [commandType: string]: Handler }

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isHandlers = (value: unknown): value is Handlers => isObject(value) && Object.values(value).every(isHandler)

/** What a module gets that makes its handlers in a function: `export const handlers = (bus, { rehearsal }) => ({ ... })`. */
export interface ForHandlers {
  readonly bus: unknown
  /** They are only rehearsed: doubles can stand for what they call. */
  readonly rehearsal: boolean
}

/** For commands that never call a handler. */
const noCalls: ForHandlers = { bus: noBus('handlers are only looked at here'), rehearsal: true }

/**
 * The handlers of a user's module, by domain. Its export `handlers` (or `default`) has them by domain and type or, if the user names
 * the domain, by type; or it is a function that makes them.
 * @throws UsageError
 */
export const loadHandlers = async (
  path: string,
  domain: string | undefined,
  given: ForHandlers = noCalls,
): Promise<ReadonlyMap<string, Handlers>> => {
  const handlers = await load(path, given)
  if (!isObject(handlers)) {
    throw new UsageError(
      `--handlers: ${path} must export \`handlers\`, an object of handlers by domain and command type, or a function that makes it`,
    )
  }
  if (domain !== undefined) {
    const own = isHandler(handlers[domain]) ? undefined : handlers[domain]
    return new Map([[domain, checked(path, domain, own ?? handlers)]])
  }
  return new Map(Object.entries(handlers).map(([name, own]) => [name, checked(path, name, own)]))
}

const checked = (path: string, domain: string, handlers: unknown): Handlers => {
  if (!isHandlers(handlers) || Object.keys(handlers).length === 0) {
    throw new UsageError(
      `--handlers: ${path} must give '${domain}' an object of handlers by command type, each a function or {handle}; ` +
        'for a module of one domain, name it with --domain',
    )
  }
  return handlers
}

const load = async (path: string, { bus, rehearsal }: ForHandlers): Promise<unknown> => {
  try {
    const exported = exportOf(await import(pathToFileURL(resolve(path)).href))
    return typeof exported === 'function' ? await exported(bus, { rehearsal }) : exported
  } catch (error) {
    const why = error instanceof Error ? withoutImporter(error.message) : String(error)
    const compile = /Unknown file extension "\.[cm]?tsx?"/.test(why) ? '; compile it, and name the JavaScript file' : ''
    throw new UsageError(`--handlers: ${path} cannot be loaded (${why}${compile})`)
  }
}

/** Of an ES module or of CommonJS, which TypeScript may have compiled from a default export. */
const exportOf = (module: Readonly<Record<string, unknown>>): unknown => {
  const { default: whole } = module
  const inner = isObject(whole) ? whole.default : undefined
  const places = [module, whole, inner].filter(isObject).map(({ handlers }) => handlers)
  return [...places, inner, whole].find(one => isObject(one) || typeof one === 'function')
}

/** Removes Node's note of which internal file imported the module: it is of no use to its author. */
const withoutImporter = (message: string): string => message.replace(/ imported from \S+$/, '')
