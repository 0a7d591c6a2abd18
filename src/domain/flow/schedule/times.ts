/** The first time of a schedule after an instant; null: none comes any more. In milliseconds since 1970. */
export type NextTime = (after: number) => number | null

/** Every so many seconds after `from`, whose fraction of a second is left out. */
export const everyTimes = (everySeconds: number, from: number): NextTime => {
  const step = everySeconds * 1000
  const start = Math.floor(from / 1000) * 1000
  return after => start + step * Math.max(1, Math.floor((after - start) / step) + 1)
}

/** The first `count` times after an instant, and not after `until`. */
export const firstTimes = (
  next: NextTime,
  after: number,
  count: number,
  until = Number.POSITIVE_INFINITY,
): readonly number[] => {
  const times: number[] = []
  for (let time = next(after); time !== null && time <= until && times.length < count; time = next(time))
    times.push(time)
  return times
}

/**
 * The last `count` times after `after` and not after `until`. It searches from the end, so that a short list from a long
 * span costs little: a time is asked for by the one before it, never by the one after it.
 */
export const lastTimes = (next: NextTime, after: number, until: number, count: number): readonly number[] => {
  const enough = 2 * count
  let tooLate = until
  let tooEarly: number | null = null
  let from = Math.max(after, until - count * 1000)
  for (;;) {
    const times = firstTimes(next, from, enough + 1, until)
    if (times.length > enough) tooEarly = from
    else if (times.length >= count || from === after) return times.slice(-count)
    else tooLate = from
    from = tooEarly === null ? Math.max(after, until - 2 * (until - from)) : Math.floor((tooEarly + tooLate) / 2)
  }
}
