type ErrorClass = abstract new (...args: never[]) => Error

/**
 * Makes `instanceof` recognise errors of another copy of this package: bundled code, or two versions in one process. Copies
 * are matched by the member names here, because a bundler may rename the classes.
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
