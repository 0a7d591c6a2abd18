import { InvalidInputError } from '../shared/errors.ts'
import { commandTypeOf, domainOf } from '../shared/input.ts'

/** Every command type of a domain. */
export const ANY_TYPE = '*'

/** A member of the payload or the result of one type of command. */
export interface SensitivePath {
  readonly domain: string
  readonly commandType: string
  /** Names joined by dots, such as `card.number`; `*` is any name, and any item of a list. */
  readonly path: string
}

/** By domain and command type, as services and handlers declare them. */
export type Sensitive = { readonly [domain: string]: { readonly [commandType: string]: readonly string[] } }

/** What was declared, by any process. */
export interface SensitivePaths {
  /** Adds what is not declared yet. */
  readonly declare: (paths: readonly SensitivePath[]) => Promise<void>
  /** Not older than a few seconds. */
  readonly known: () => Promise<readonly SensitivePath[]>
  /** False: there was no such path. */
  readonly remove: (path: SensitivePath) => Promise<boolean>
}

const MAX_PATHS = 200
const FORM = `must be at most ${MAX_PATHS} paths like card.number or items.*.iban, each with a name in it`
const PATH = /^[^.\s]+(\.[^.\s]+)*$/

/** The last name of a path, which is not `*`. */
export const lastNameOf = ({ path }: Pick<SensitivePath, 'path'>): string | undefined =>
  path
    .split('.')
    .filter(name => name !== '*')
    .at(-1)

/** What is wrong with the paths of a type; null: nothing. */
export const sensitiveFault = (paths: unknown): string | null =>
  Array.isArray(paths) &&
  paths.length <= MAX_PATHS &&
  paths.every(
    path =>
      typeof path === 'string' &&
      path.length <= 200 &&
      PATH.test(path) &&
      lastNameOf({ path }) !== undefined &&
      path.isWellFormed() &&
      !path.includes('\u0000'),
  )
    ? null
    : FORM

/** @throws InvalidInputError */
export const sensitivePathOf = ({ domain, commandType, path }: SensitivePath): SensitivePath => {
  const type = commandType === ANY_TYPE ? commandType : commandTypeOf(commandType)
  if (sensitiveFault([path]) !== null) throw new InvalidInputError(`sensitive.${domain}.${type}`, FORM)
  return { domain: domainOf(domain), commandType: type, path }
}

/** The declared paths, one by one. @throws InvalidInputError */
export const sensitivePathsOf = (given: Sensitive): readonly SensitivePath[] =>
  membersOf(given, 'sensitive').flatMap(([domain, types]) =>
    membersOf(types, `sensitive.${domain}`).flatMap(([commandType, paths]) => {
      if (!Array.isArray(paths)) throw new InvalidInputError(`sensitive.${domain}.${commandType}`, FORM)
      return paths.map(path => sensitivePathOf({ domain, commandType, path }))
    }),
  )

const membersOf = (value: unknown, at: string): readonly (readonly [string, unknown])[] => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value)
  throw new InvalidInputError(at, 'must be an object: domains with command types, each with its list of paths')
}
