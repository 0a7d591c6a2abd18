import {
  type ActionDetails,
  type ActionName,
  type ActionOption,
  optionsOf,
} from '../../domain/command/operator-actions.ts'
import type { Instant } from '../../domain/instant.ts'
import type { Json } from '../../domain/json/json.ts'
import { booleanOf, instantAhead, jsonOf, textOf } from '../shared/input.ts'

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
