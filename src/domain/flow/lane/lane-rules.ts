/** Settings of a lane, or of the lanes that a rule makes (`settings` null: the rule was removed). */
export interface RuleFact {
  readonly kind: 'lane' | 'limit'
  readonly domain: string
  readonly name: string
  readonly settings: Settings | null
  /** Of a rule: it limits the lanes of keys, which have a width without it, too. */
  readonly byKey?: boolean
  /** When it was recorded, in milliseconds. */
  readonly at: number
}

export interface Settings {
  readonly width: number
  /** A parked command does not hold its lane. */
  readonly passes: boolean
}

/** Settings over time; those of before count until their `until`. */
interface Source {
  readonly now: Settings
  readonly byKey: boolean
  readonly since: number
  readonly before: readonly { readonly settings: Settings; readonly until: number }[]
}

/** Of a lane that nobody has set. */
const byDefault: Settings = { width: 1, passes: false }
/** Of a lane whose rule was removed. */
const unlimited: Settings = { width: Number.POSITIVE_INFINITY, passes: true }

/**
 * A change holds once its transaction has ended, which is after its place in the log: a command that was let in meanwhile was
 * let in by the settings before.
 */
const GRACE_MS = 10_000

const loosestOf = (all: Iterable<Settings>): Settings => {
  let [width, passes] = [0, false]
  for (const one of all) {
    width = Math.max(width, one.width)
    passes ||= one.passes
  }
  return { width, passes }
}

/** The settings of lanes at each point of the log. */
export const createLaneRules = () => {
  const sources = { lane: new Map<string, Source>(), limit: new Map<string, Source>() }
  const keyOf = (domain: string, name: string): string => `${domain}/${name}`

  const recent = (source: Source, at: number) => source.before.filter(({ until }) => at < until)

  const within = (source: Source, at: number): readonly Settings[] => [
    source.now,
    ...recent(source, at).map(({ settings }) => settings),
  ]

  /** Of the rules that have put commands into the lane (null: by their key alone). */
  const ofLimits = (domain: string, limits: Iterable<string | null>, at: number): readonly Settings[] =>
    [...limits].flatMap(limit => {
      if (limit === null) return [byDefault]
      const source = sources.limit.get(keyOf(domain, limit))
      return source === undefined ? [unlimited] : within(source, at)
    })

  return {
    set: ({ kind, domain, name, settings, byKey = false, at }: RuleFact): void => {
      const key = keyOf(domain, name)
      const source = sources[kind].get(key)
      const now = settings ?? ((source?.byKey ?? byKey) ? byDefault : unlimited)
      const before = source === undefined ? [] : recent(source, at)
      if (source !== undefined) before.push({ settings: source.now, until: at + GRACE_MS })
      sources[kind].set(key, { now, byKey, since: source?.since ?? at, before })
    },
    /** What may have held for a lane: the loosest, where a change is recent. */
    loosest: (domain: string, lane: string, limits: Iterable<string | null>, at: number): Settings => {
      const own = sources.lane.get(keyOf(domain, lane))
      if (own === undefined) return loosestOf(ofLimits(domain, limits, at))
      return loosestOf([...within(own, at), ...(at < own.since + GRACE_MS ? ofLimits(domain, limits, at) : [])])
    },
  }
}

export type LaneRules = ReturnType<typeof createLaneRules>
