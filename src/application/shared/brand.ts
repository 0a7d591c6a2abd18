type ErrorClass = abstract new (...args: never[]) => Error

/**
 * Makes `instanceof` recognise errors that another copy of this package has made: bundled code, or two versions in one
 * process. The names of the members are what the copies have in common: a bundler may rename the classes themselves.
 * Classes that extend a branded one are compared as usual.
 */
export const brandErrors = (classes: { readonly [name: string]: ErrorClass }): void => {
  for (const [name, type] of Object.entries(classes)) {
    const mark = Symbol.for(`commandbus.${name}`)
    Object.defineProperty(type.prototype, mark, { value: true })
    Object.defineProperty(type, Symbol.hasInstance, {
      value(this: ErrorClass, value: unknown): boolean {
        if (this !== type) return Function.prototype[Symbol.hasInstance].call(this, value)
        return typeof value === 'object' && value !== null && mark in value
      },
    })
  }
}
