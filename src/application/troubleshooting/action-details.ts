import {
  type ActionDetails,
  type ActionName,
  type ActionOption,
  optionsOf,
} from '../../domain/command/operator-actions.ts'
import type { Instant } from '../../domain/instant.ts'
import type { Json } from '../../domain/json/json.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { booleanOf, instantOf, jsonOf, textOf } from '../shared/input.ts'

/** The options of an action, checked, for its intent. @throws InvalidInputError */
export const detailsOf = <A extends ActionName>(
  action: A,
  given: object | undefined,
  now: Instant,
  options = optionsOf(action),
): ActionDetails[A] =>
  Object.fromEntries(
    options.flatMap(([name, option]) => {
      const details = detailOf(option, given === undefined ? undefined : Reflect.get(given, name), name, now)
      return details === undefined ? [] : [[name, details]]
    }),
  ) as unknown as ActionDetails[A]

const detailOf = (option: ActionOption, value: unknown, name: string, now: Instant): Json | undefined => {
  const isMissing = value === undefined || (value === null && option.kind !== 'json')
  if (isMissing && option.required === undefined) return option.usual
  switch (option.kind) {
    case 'text':
      return textOf(value, name)
    case 'json':
      return jsonOf(value, name)
    case 'boolean':
      return booleanOf(value, name)
    case 'instant':
      return instantAhead(value, name, now)
  }
}

const YEAR_MS = 366 * 24 * 3_600_000

const instantAhead = (value: unknown, name: string, now: Instant): Instant => {
  const instant = instantOf(value, name)
  const ahead = Date.parse(instant) - Date.parse(now)
  if (ahead > 0 && ahead <= YEAR_MS) return instant
  throw new InvalidInputError(name, `must be a time in the future, at most a year from now, not ${instant}`)
}
