/** A path of names, with `*` for the index of an item: `items.*.price`. */
export const memberPattern = (names: readonly string[]): string =>
  names.map(name => (/^\d+$/.test(name) ? '*' : name)).join('.')

/** A fault of a payload, such as `data.items.0.price: expected number`, with the indexes as `*`. */
export const patternOf = (fault: string): string => {
  const { path, expected } = partsOf(fault)
  return path === '' ? expected : `${path}: ${expected}`
}

/** The path of a fault, with the indexes as `*`, and what was expected there. */
export const partsOf = (fault: string): { readonly path: string; readonly expected: string } => {
  const at = fault.indexOf(': ')
  return at < 0
    ? { path: '', expected: fault }
    : { path: memberPattern(fault.slice(0, at).split('.')), expected: fault.slice(at + 2) }
}
