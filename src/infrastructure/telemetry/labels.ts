/** Stands for everything past the cap. */
export const OTHER = 'other'

/**
 * Keeps the number of time series bounded: the first `max` pairs of domain and type have labels of their own, later ones
 * share one. Whoever may send may invent types.
 */
export const createLabelCap = (max: number) => {
  const known = new Map<string, ReadonlySet<string> | Set<string>>()
  let pairs = 0
  return (domain: string, type: string): { readonly domain: string; readonly type: string } => {
    const types = known.get(domain) as Set<string> | undefined
    if (types?.has(type)) return { domain, type }
    if (pairs >= max) return types === undefined ? { domain: OTHER, type: OTHER } : { domain, type: OTHER }
    pairs++
    if (types === undefined) known.set(domain, new Set([type]))
    else types.add(type)
    return { domain, type }
  }
}
