import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Handler, isHandler } from '../../worker/attempt/handler.ts'
import { UsageError } from './failure.ts'

export type Handlers = { readonly [commandType: string]: Handler }

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isHandlers = (value: unknown): value is Handlers => isObject(value) && Object.values(value).every(isHandler)

/**
 * The handlers of a user's ES module, by domain. Its export `handlers` has them by domain and type or, if the user names the
 * domain, by type.
 * @throws UsageError
 */
export const loadHandlers = async (
  path: string,
  domain: string | undefined,
): Promise<ReadonlyMap<string, Handlers>> => {
  const { handlers } = await load(path)
  if (!isObject(handlers)) {
    throw new UsageError(
      `--handlers: ${path} must export \`handlers\`, an object of handlers by domain and command type`,
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

const load = async (path: string): Promise<{ readonly handlers?: unknown }> => {
  try {
    return await import(pathToFileURL(resolve(path)).href)
  } catch (error) {
    throw new UsageError(
      `--handlers: ${path} cannot be loaded (${error instanceof Error ? withoutImporter(error.message) : String(error)})`,
    )
  }
}

/** Removes Node's note of which internal file imported the module: it is of no use to its author. */
const withoutImporter = (message: string): string => message.replace(/ imported from \S+$/, '')
