import type { AnyHandler } from '../worker/attempt/handler.ts'

/** Null: it can be rehearsed. */
export const whyNot = ({ rehearsable }: AnyHandler, commandType: string): string | null => {
  if (rehearsable === true) return null
  return rehearsable === false
    ? `the handler of '${commandType}' is not to be rehearsed: it says \`rehearsable: false\``
    : `the handler of '${commandType}' may reach outside the database, which no rollback undoes: set \`rehearsable: true\` on it once it does not do so while \`context.rehearsal\` is true`
}
