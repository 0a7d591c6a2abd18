/** A path of names, with `*` for the index of an item: `items.*.price`. */
export const memberPattern = (names: readonly string[]): string =>
  names.map(name => (/^\d+$/.test(name) ? '*' : name)).join('.')

/** A fault of a payload, such as `data.items.0.price: expected number`, with the indexes as `*`. */
export const patternOf = (text: string): string => {
  const { path, fault } = partsOf(text)
  return path === '' ? fault : `${path}: ${fault}`
}

/** The path of a fault, with the indexes as `*`, and what is wrong there. */
export const partsOf = (text: string): { readonly path: string; readonly fault: string } => {
  const at = text.indexOf(': ')
  return at < 0
    ? { path: '', fault: text }
    : { path: memberPattern(text.slice(0, at).split('.')), fault: text.slice(at + 2) }
}
