import type * as t from 'io-ts'
import { innerOf } from '../../../contract/codecs.ts'
import type { Fault } from './problem.ts'

/**
 * What io-ts found wrong: the path, like `commands[3].data`, and what was expected there. Never the value itself, which may
 * be a secret. `root` is the path of the whole. Where a value may be one of several things, that is one fault.
 */
export const faultsOf = (root: string, errors: t.Errors): readonly Fault[] => {
  const faults = new Map<string, string>()
  for (const { value, context, message } of errors) {
    const path = pathOf(context) || root
    const expected = nameOf(context.at(-1)?.type.name)
    const before = faults.get(path)
    if (before === undefined) {
      faults.set(path, message ?? `${value === undefined ? 'missing; ' : ''}expected ${expected}`)
    } else if (message === undefined) faults.set(path, `${before} or ${expected}`)
  }
  return [...faults].map(([path, message]) => ({ path, message }))
}

/** io-ts writes words to choose from as `"A" | "B"`. */
const nameOf = (name = 'something else'): string =>
  /^"[^"]*"( \| "[^"]*")+$/.test(name) ? `one of ${name.replaceAll('"', '').replaceAll(' | ', ', ')}` : name

const pathOf = (context: t.Context): string =>
  context.reduce((path, { key, type }, i) => {
    const above = context[i - 1]?.type
    if (above === undefined || isSide(above, type)) return path
    if (below(above)._tag === 'ArrayType') return `${path}[${key}]`
    return path === '' ? key : `${path}.${key}`
  }, '')

/** Sides of an intersection or a union are numbered in the context, but are not members of the value. */
const isSide = (above: object, type: object): boolean => below(above).types?.includes(type) ?? false

const below = (codec: object): { readonly _tag?: string; readonly types?: readonly object[] } =>
  innerOf(codec as t.Mixed) ?? codec
