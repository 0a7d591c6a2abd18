export interface Frame {
  readonly id: string | null
  readonly data: string
}

/** Reads server-sent events from a body; `EventSource` cannot send an Authorization header. */
export async function* readFrames(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const parts = (rest + value).split('\n\n')
      rest = parts.pop() ?? ''
      for (const part of parts) yield frameOf(part)
    }
  } finally {
    reader.cancel().catch(() => undefined)
  }
}

const frameOf = (text: string): Frame => {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? []
    if (name !== '') fields.set(name, value)
  }
  return { id: fields.get('id') ?? null, data: fields.get('data') ?? '' }
}
