const PREFIX = 'cause-'

export const causeStream = (causeId: string): string => `${PREFIX}${causeId}`

export const parseCauseStream = (stream: string): string | null =>
  stream.startsWith(PREFIX) ? stream.slice(PREFIX.length) : null
