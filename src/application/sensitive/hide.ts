import { ANY_TYPE, type SensitivePath } from './sensitive-paths.ts'

/** What stands in the place of a hidden value. */
export const HIDDEN = '•••'

/** Members of answers that hold what senders, handlers and operators gave: JSON of any form. */
const FREE = new Set(
  'data payload result resultData result_data details diff body message headers parameters input output'.split(' '),
)

interface Hiding {
  readonly paths: readonly SensitivePath[]
  /** Whether the reader may see all of a domain; null: it is not known of which domain something is. */
  readonly reveals: (domain: string | null) => boolean
}

/** What is known of an answer's part: of which domain and type the commands in it are. */
interface Place {
  readonly domain: string | null
  readonly commandType: string | null
}

type Plain = Readonly<Record<string, unknown>>

/** Patterns as lists of names. */
type Patterns = readonly (readonly string[])[]

/**
 * An answer with the declared members hidden. A path counts at any depth of the JSON that commands carry, so that it also fits
 * a result, a reply around it, and a difference. Where an answer does not say of which type a command is, the paths of its whole
 * domain count, and without a domain all of them: too much is hidden rather than too little. Previews, which are
 * the beginnings of large texts, are hidden as a whole.
 */
export const hide = <A>(answer: A, hiding: Hiding, place: Partial<Place> = {}): A =>
  hiding.paths.length === 0 ? answer : (structure(answer, { domain: null, commandType: null, ...place }, hiding) as A)

const structure = (value: unknown, place: Place, hiding: Hiding): unknown => {
  if (Array.isArray(value)) return value.map(item => structure(item, place, hiding))
  if (!isPlain(value)) return value
  const here = placeOf(value, place)
  const patterns = patternsFor(here, hiding)
  const change = pointerOf(value)
  return mapped(value, (name, member) => {
    if (patterns.length > 0 && isPreview(value, name)) return HIDDEN
    if (change !== null && (name === 'from' || name === 'to')) return free(member, change, patterns)
    return FREE.has(name) ? free(member, [], patterns) : structure(member, here, hiding)
  })
}

/** The same for one value, at a path of a payload of any domain. */
export const hideAt = <A>(value: A, path: readonly string[], paths: readonly SensitivePath[]): A =>
  free(value, path, patternsFor({ domain: null, commandType: null }, { paths, reveals: () => false })) as A

/** JSON of commands, at a path below the payload or the like. */
const free = (value: unknown, path: readonly string[], patterns: Patterns): unknown => {
  if (patterns.length === 0) return value
  if (fits(path, patterns)) return value === null ? null : HIDDEN
  if (Array.isArray(value)) return value.map((item, i) => free(item, [...path, String(i)], patterns))
  if (!isPlain(value)) return value
  const change = pointerOf(value)
  return mapped(value, (name, member) => {
    if (isPreview(value, name)) return HIDDEN
    const shown = free(member, [...path, name], patterns)
    // a payload may look like a difference: both places count
    return change !== null && (name === 'from' || name === 'to') ? free(shown, change, patterns) : shown
  })
}

/** Whether a member of a payload is declared as sensitive; `path` is like `card.number` or `items[].sku`. */
export const isSensitive = (
  paths: readonly SensitivePath[],
  {
    domain,
    commandType,
    path,
  }: { readonly domain: string | null; readonly commandType: string; readonly path: string },
): boolean => {
  const patterns = patternsFor({ domain, commandType }, { paths, reveals: () => false })
  return fits(path.replaceAll('[]', '.*').split('.'), patterns)
}

/** Whether the end of some part of the path is one of the patterns: what lies below a hidden member is hidden, too. */
export const fits = (path: readonly string[], patterns: Patterns): boolean =>
  patterns.some(pattern =>
    path.some(
      (_, start) =>
        start + pattern.length <= path.length && pattern.every((name, i) => name === '*' || name === path[start + i]),
    ),
  )

export const patternsFor = ({ domain, commandType }: Place, { paths, reveals }: Hiding): Patterns =>
  reveals(domain)
    ? []
    : paths
        .filter(one => domain === null || one.domain === domain)
        .filter(one => commandType === null || one.commandType === ANY_TYPE || one.commandType === commandType)
        .filter(one => !reveals(one.domain))
        .map(({ path }) => path.split('.'))

const placeOf = (value: Plain, { domain, commandType }: Place): Place => {
  const named = value.commandType ?? value.command_type
  return {
    domain: typeof value.domain === 'string' ? value.domain : domain,
    commandType: typeof named === 'string' ? named : commandType,
  }
}

/** The path of a difference (RFC 6901), if that is what the value is. */
const pointerOf = ({ op, path }: Plain): readonly string[] | null =>
  typeof op === 'string' && typeof path === 'string'
    ? path
        .split('/')
        .slice(1)
        .map(name => name.replaceAll('~1', '/').replaceAll('~0', '~'))
    : null

/** `dataPreview` beside `dataBytes`, or `result_preview` beside `result_bytes`. */
const isPreview = (value: Plain, name: string): boolean => {
  const [, stem, , preview] = /^(.*?)(_?)([pP]review)$/.exec(name) ?? []
  return preview !== undefined && (Object.hasOwn(value, `${stem}Bytes`) || Object.hasOwn(value, `${stem}_bytes`))
}

/** Not dates, subscriptions and the like, which have no members to hide. */
const isPlain = (value: unknown): value is Plain => {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return (
    (prototype === Object.prototype || prototype === null) &&
    !Object.values(value).some(member => typeof member === 'function')
  )
}

// defineProperty semantics: a member of a payload may be named `__proto__`
const mapped = (value: Plain, to: (name: string, member: unknown) => unknown): Plain =>
  Object.fromEntries(Object.entries(value).map(([name, member]) => [name, to(name, member)]))
