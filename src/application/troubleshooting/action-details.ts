import { MAX_TAG, MAX_TAGS } from '../../domain/command/actions/care-actions.ts'
import {
  type ActionDetails,
  type ActionName,
  type ActionOption,
  optionsOf,
} from '../../domain/command/operator-actions.ts'
import type { Instant } from '../../domain/instant.ts'
import type { Json } from '../../domain/json/json.ts'
import { InvalidInputError } from '../shared/errors.ts'
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
  const isMissing = value === undefined || (value === null && option.kind !== 'json' && option.kind !== 'person')
  if (isMissing && option.required === undefined) return option.usual
  switch (option.kind) {
    case 'text':
      return textOf(value, name, option.max)
    case 'json':
      return jsonOf(value, name)
    case 'boolean':
      return booleanOf(value, name)
    case 'instant':
      return instantAhead(value, name, now)
    case 'person':
      return assigneeOf(value, name, option.max)
    case 'tags':
      return [...tagsOf(value, name)]
  }
}

export const assigneeOf = (value: unknown, name: string, max?: number): string | null =>
  value === null ? null : textOf(value, name, max).trim()

/** Tags without spaces around them, each once. @throws InvalidInputError */
export const tagsOf = (value: unknown, name: string): readonly string[] => {
  if (!Array.isArray(value)) throw new InvalidInputError(name, 'must be a list of texts')
  const tags = new Set(value.map((one, i) => textOf(one, `${name}[${i}]`, MAX_TAG).trim()))
  if ([...tags].some(tag => tag.includes(',')))
    throw new InvalidInputError(name, 'must have no commas: they stand between tags')
  if (tags.size > MAX_TAGS) throw new InvalidInputError(name, `must be at most ${MAX_TAGS}, not ${tags.size}`)
  return [...tags]
}
