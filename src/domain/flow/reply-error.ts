export interface ReplyError {
  readonly code?: string
  readonly message?: string
}

/**
 * The error of a reply that says FAILED or CANCELED: as this bus writes it (`error`), or as other libraries do (`error_code` and
 * `error_message`, or `error_code` in the result). Null: it has none.
 */
export const replyErrorOf = (reply: unknown): ReplyError | null => {
  const members = membersOf(reply)
  const own = membersOf(members.error)
  const code = firstText(own.code, members.error_code, membersOf(members.result).error_code)
  const message = firstText(own.message, members.error_message, members.error)
  if (code === undefined && message === undefined) return null
  return { ...(code === undefined ? {} : { code }), ...(message === undefined ? {} : { message }) }
}

const membersOf = (value: unknown): { readonly [name: string]: unknown } =>
  typeof value === 'object' && value !== null ? (value as { readonly [name: string]: unknown }) : {}

const firstText = (...given: readonly unknown[]): string | undefined =>
  given.find((one): one is string => typeof one === 'string' && one !== '')
