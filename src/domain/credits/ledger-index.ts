/**
 * An immutable map that is cheap to add to: only the bucket of the new key is copied, so that the time to fold a ledger does
 * not grow with the square of its charges.
 */
export type LedgerIndex<A> = readonly (ReadonlyMap<string, A> | undefined)[]

const BUCKETS = 256

const bucketOf = (key: string): number => {
  let hash = 0
  for (let i = 0; i < key.length; i++) hash = (hash * 31 + key.charCodeAt(i)) | 0
  return (hash >>> 0) % BUCKETS
}

export const emptyIndex: LedgerIndex<never> = []

export const find = <A>(index: LedgerIndex<A>, key: string): A | undefined => index[bucketOf(key)]?.get(key)

export const put = <A>(index: LedgerIndex<A>, key: string, value: A): LedgerIndex<A> => {
  const copy = index.slice()
  const bucket = bucketOf(key)
  copy[bucket] = new Map(index[bucket]).set(key, value)
  return copy
}
