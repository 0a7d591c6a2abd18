/** The label of all values past the cap. */
export const OTHER = 'other'

/**
 * Limits the number of time series: the first `max` pairs of domain and type have their own labels, later ones share one. A
 * sender can invent types.
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
