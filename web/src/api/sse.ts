export interface Frame {
  readonly id: string | null
  readonly data: string
}

/**
 * Reads server-sent events from a body; `EventSource` cannot send an Authorization header. Lines end as the standard
 * says, with \r\n, \n or \r and nothing else: U+2028 and its like are part of the data.
 */
export async function* readFrames(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  let rest = ''
  let afterCr = false
  let lines: string[] = []
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      // the second half of an end of line whose first half ended the chunk before
      const text = afterCr && value.startsWith('\n') ? value.slice(1) : value
      afterCr = value.endsWith('\r')
      const ended = (rest + text).split(/\r\n|[\r\n]/)
      rest = ended.pop() ?? ''
      for (const line of ended) {
        if (line !== '') lines.push(line)
        else if (lines.length > 0) {
          yield frameOf(lines)
          lines = []
        }
      }
    }
  } finally {
    reader.cancel().catch(() => undefined)
  }
}

const frameOf = (lines: readonly string[]): Frame => ({
  id: valuesOf(lines, 'id').at(-1) ?? null,
  data: valuesOf(lines, 'data').join('\n'),
})

/** The values of all lines of a field, in their order; a space behind the colon belongs to the colon. */
const valuesOf = (lines: readonly string[], field: string): readonly string[] =>
  lines.flatMap(line => (line.startsWith(`${field}:`) ? [line.slice(field.length + 1).replace(/^ /, '')] : []))
