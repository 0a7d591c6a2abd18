const PREFIX = 'credits-'

export const creditsStream = (tenantId: string): string => `${PREFIX}${tenantId}`

/** The tenant whose ledger a stream is; null for other streams. */
export const parseCreditsStream = (stream: string): string | null =>
  stream.startsWith(PREFIX) && stream.length > PREFIX.length ? stream.slice(PREFIX.length) : null
