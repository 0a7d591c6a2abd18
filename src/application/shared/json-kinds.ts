/** Whether an object comes from a literal or JSON.parse, in this realm or another (such as a test runner's). */
export const isPlain = (value: object): boolean => {
  const parent = Object.getPrototypeOf(value)
  if (parent === Object.prototype || parent === null) return true
  return Object.getPrototypeOf(parent) === null && Object.hasOwn(parent, 'isPrototypeOf')
}

/**
 * Why an object that is neither plain nor a list is not valid JSON: it would lose its content. Null: its `toJSON` gives its
 * value.
 */
export const kindFault = (value: object, before: string): string | null => {
  if (hasMethod(value, 'then')) return `is a Promise: await it before ${before}`
  // the toJSON of a Buffer would make four bytes out of one
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return `is ${named(value)}, which JSON cannot hold: make it a text (base64), or a list of numbers`
  }
  if (value instanceof Date && Number.isNaN(value.getTime())) return 'is a Date without a time, which JSON cannot hold'
  if (hasMethod(value, 'toJSON')) return null
  return `is ${named(value)}, which JSON cannot hold: ${adviceFor(value)}`
}

const adviceFor = (value: object): string => {
  if (value instanceof Error) return 'take its code and message'
  if (value instanceof Map) return 'make it a plain object, with Object.fromEntries'
  if (value instanceof Set) return 'make it a list, with [...it]'
  if ([Number, String, Boolean, BigInt].some(type => value instanceof type)) return 'take its valueOf()'
  return 'make it a plain object, or give it a toJSON'
}

const hasMethod = (value: object, name: string): boolean =>
  typeof (value as Record<string, unknown>)[name] === 'function'

/** `a Map`, `an Error`, `an object with a prototype of its own`. */
const named = (value: object): string => {
  const name: unknown = value.constructor?.name
  if (typeof name !== 'string' || name === '' || name === 'Object') return 'an object with a prototype of its own'
  return `${/^[AEIO]/i.test(name) ? 'an' : 'a'} ${name.slice(0, 60).toWellFormed()}`
}
