/** An event as the test double keeps it. Positions have gaps, as those of the real log have. */
export interface Kept {
  readonly stream: string
  readonly revision: number
  readonly id: string
  readonly type: string
  readonly contentType: string
  readonly data: Uint8Array
  readonly metadata: Uint8Array
  readonly created: Date
  readonly position: bigint
}

export type Proposed = Pick<Kept, 'id' | 'type' | 'contentType' | 'data' | 'metadata'>

/** `any`, `exists`, or the revision of the last event; -1: the stream must not exist. */
export type Expected = 'any' | 'exists' | number

export type Appended =
  | { readonly outcome: 'done'; readonly revision: number; readonly position: bigint }
  | { readonly outcome: 'wrong'; readonly current: number }

/** The log of the test double: it outlives a restart of its server, as a disk does. */
export const createKeptLog = ({ remembersIds }: { readonly remembersIds: boolean }) => {
  const all: Kept[] = []
  const streams = new Map<string, Kept[]>()
  const listeners = new Set<() => void>()
  let position = 1000n

  const append = (stream: string, expected: Expected, events: readonly Proposed[]): Appended => {
    const there = streams.get(stream) ?? []
    const current = there.length - 1
    const fits = expected === 'any' || (expected === 'exists' ? current >= 0 : expected === current)
    if (!fits) {
      const from = typeof expected === 'number' ? expected + 1 : 0
      const last = there[from + events.length - 1]
      const isRepeated = remembersIds && events.every(({ id }, i) => there[from + i]?.id === id)
      return isRepeated && last !== undefined
        ? { outcome: 'done', revision: last.revision, position: last.position }
        : { outcome: 'wrong', current }
    }
    streams.set(stream, there)
    for (const event of events) {
      position += BigInt(100 + event.data.length)
      const kept = { ...event, stream, revision: there.length, created: new Date(), position }
      there.push(kept)
      all.push(kept)
    }
    for (const tell of [...listeners]) tell()
    return { outcome: 'done', revision: there.length - 1, position }
  }

  return {
    all: all as readonly Kept[],
    stream: (name: string): readonly Kept[] | undefined => streams.get(name),
    append,
    listen: (tell: () => void): (() => void) => {
      listeners.add(tell)
      return () => listeners.delete(tell)
    },
  }
}

export type KeptLog = ReturnType<typeof createKeptLog>
