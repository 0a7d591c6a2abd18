const PREFIX = 'pause-'

export const pauseStream = (pauseId: string): string => `${PREFIX}${pauseId}`

export const parsePauseStream = (stream: string): string | null =>
  stream.startsWith(PREFIX) ? stream.slice(PREFIX.length) : null
