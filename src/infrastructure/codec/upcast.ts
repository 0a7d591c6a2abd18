import { type Either, left, right } from 'fp-ts/lib/Either.js'

/** Turns data of one schema version into data of the next. */
export type Upcast = (data: object) => object

/**
 * For each event type, the steps from version 1 on: `CommandSent: [from1to2, from2to3]`. When an event's shape changes,
 * raise its version in the schema and add the step here; stored events are never rewritten.
 */
export type Upcasts = { readonly [type: string]: readonly Upcast[] }

export const upcast = (
  upcasts: Upcasts,
  type: string,
  from: number,
  to: number,
  data: object,
): Either<string, object> => {
  if (from === to) return right(data)
  if (!Number.isInteger(from) || from < 1 || from > to) {
    return left(`meta.v: schema version ${from} of ${type} is not known (this version of commandbus reads 1 to ${to})`)
  }
  const steps = (upcasts[type] ?? []).slice(from - 1, to - 1)
  if (steps.length !== to - from)
    return left(`meta.v: there is no upcast from schema version ${from} of ${type} to ${to}`)
  try {
    return right(steps.reduce((value, step) => step(value), data))
  } catch {
    return left(`data: is not a valid ${type} of schema version ${from}`)
  }
}
