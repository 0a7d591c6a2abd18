import type * as t from 'io-ts'

/** A long list may have a fault for each of its items. */
export const MOST_FAULTS = 20

/** The first faults that io-ts found, each as `path: expected X`. Without the values, which may be secrets. */
export const faultsOf = (errors: t.Errors, root = ''): readonly string[] => [
  ...new Set(
    errors.slice(0, MOST_FAULTS).map(({ context, message }) => {
      const entries = context.filter((_, i) => i === 0 || !isAlternative(context[i - 1]))
      const at = [root, ...entries.slice(1).map(({ key }) => key)].filter(name => name !== '').join('.')
      return message ?? `${at === '' ? 'the value' : at}: expected ${entries.at(-1)?.type.name ?? 'something else'}`
    }),
  ),
]

/** The members of unions and intersections have numbers, which are not part of the path. */
const isAlternative = (entry: t.ContextEntry | undefined): boolean => {
  // the codec may be of the user's io-ts, which is not ours
  const type = entry?.type as t.Mixed & { readonly _tag?: string; readonly type?: { readonly _tag?: string } }
  const tag = type?._tag === 'ExactType' ? type.type?._tag : type?._tag
  return tag === 'UnionType' || tag === 'IntersectionType'
}
