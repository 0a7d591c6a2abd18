import type { Condition, ParkedFilter, parkedConditions } from '../../domain/command/parking.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { booleanOf, commandTypeOf, domainOf, instantOf, textOf } from '../shared/input.ts'

/** The given conditions, checked. `within` is the prefix of their names in errors. @throws InvalidInputError */
export const conditionsOf = (given: object, conditions: typeof parkedConditions, within = ''): ParkedFilter => {
  const filter: ParkedFilter = Object.fromEntries(
    conditions.flatMap(([name, { kind }]) => {
      const value: unknown = Reflect.get(given, name)
      return value === undefined || value === null ? [] : [[name, read[kind](value, name, within)]]
    }),
  )
  if (filter.from !== undefined && filter.to !== undefined && filter.from >= filter.to)
    throw new InvalidInputError(`${within}from, ${within}to`, 'the first must be before the second')
  return filter
}

type Read = (value: unknown, name: string, within: string) => unknown

const read: Readonly<Record<Condition['kind'], Read>> = {
  domain: domainOf,
  commandType: commandTypeOf,
  text: (value, name) => textOf(value, name, 200),
  instant: (value, name, within) => instantOf(value, within + name),
  boolean: (value, name, within) => booleanOf(value, within + name),
}
