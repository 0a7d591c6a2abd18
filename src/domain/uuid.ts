/** A UUID as PostgreSQL writes it, for regular expressions here and there. */
export const UUID_PATTERN = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'

const UUID = new RegExp(`^${UUID_PATTERN}$`)

/** Lower case only: one id is one text. */
export const isUuid = (text: string): boolean => UUID.test(text)
