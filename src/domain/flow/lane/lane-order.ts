import type { CommandEventType } from '../../command/events.ts'
import { terminalStatuses, transitions } from '../../command/transitions.ts'
import { type Entry, joinLine, type Lane, trim, waitingBefore } from './lane-line.ts'
import { createLaneRules, type LaneRules, type RuleFact } from './lane-rules.ts'

/**
 * An event of a command that is in a lane. Facts come in the order in which their transactions held the lane; those of one
 * transaction, which begins nothing that it has let in, only stream by stream.
 */
export interface CommandFact {
  readonly kind: 'command'
  readonly stream: string
  readonly revision: number
  readonly type: CommandEventType
  readonly domain: string
  readonly lane: string
  /** The rule that made the lane. */
  readonly limit: string | null
  /** The event names a time before which the command does not run. */
  readonly later: boolean
  /** An outcome that carries its receipt. */
  readonly receipt: boolean
  readonly transaction: string
  /** Of `CommandSent`: its message, and its queue; they order what one transaction has sent. */
  readonly msgId: number
  readonly queue: string
  /** When it was recorded, in milliseconds. */
  readonly at: number
}

export type LaneFact = CommandFact | RuleFact

/** A command that began when it should have waited. */
export interface LaneFault {
  readonly kind: 'overlap' | 'overtaking'
  readonly stream: string
  readonly revision: number
  readonly lane: string
  /** How many of the lane may run at once, as far as the log can tell. */
  readonly width: number
  /** Streams of those that held the lane, or that were to begin first. At most 10. */
  readonly others: readonly string[]
}

const MOST_NAMED = 10

const laneKey = (domain: string, lane: string): string => `${domain}/${lane}`

/** Checks order and width of all lanes, one event after the other. Memory grows with open commands and settings only. */
export const createLaneOrder = (onFault: (fault: LaneFault) => void) => {
  const rules: LaneRules = createLaneRules()
  const lanes = new Map<string, Lane>()
  const entries = new Map<string, Entry>()
  let checked = 0

  /** How many may hold the lane: its width, or more, as long as those that a wider lane had let in are not gone. */
  const mostOf = (lane: Lane, at: number): number => {
    const { width, passes } = rules.loosest(lane.domain, lane.name, lane.limits, at)
    if (passes) for (const entry of lane.holding) if (entry.isParked) release(entry, 'aside')
    lane.most = Math.max(width, Math.min(lane.most, lane.open))
    return lane.most
  }

  /** One that held the lane does so no more. */
  const release = (entry: Entry, state: 'aside' | 'left'): void => {
    entry.state = state
    entry.lane.holding.delete(entry)
  }

  const leaveLine = (entry: Entry): void => {
    if (entry.state === 'waiting' && entry.isOrdered) entry.lane.waiting--
    entry.isOrdered = false
    trim(entry.lane)
  }

  const enter = (fact: CommandFact): void => {
    const key = laneKey(fact.domain, fact.lane)
    let lane = lanes.get(key)
    if (lane === undefined) {
      const { domain, lane: name } = fact
      lane = {
        key,
        domain,
        name,
        limits: new Set(),
        open: 0,
        holding: new Set(),
        line: [],
        first: 0,
        waiting: 0,
        most: 0,
      }
      lanes.set(key, lane)
    }
    const { stream, transaction, msgId, queue } = fact
    const sent = { stream, transaction, msgId, queue }
    const entry: Entry = { ...sent, lane, state: 'waiting', isParked: false, isOrdered: !fact.later }
    entries.set(fact.stream, entry)
    lane.limits.add(fact.limit)
    lane.open++
    if (entry.isOrdered) {
      joinLine(lane, entry)
      lane.waiting++
    }
    mostOf(lane, fact.at)
  }

  const begin = (entry: Entry, fact: CommandFact): void => {
    if (entry.state === 'holding') return
    const { lane } = entry
    const most = mostOf(lane, fact.at)
    checked++
    const fault = (kind: LaneFault['kind'], others: readonly Entry[]): void =>
      onFault({
        kind,
        stream: fact.stream,
        revision: fact.revision,
        lane: lane.name,
        width: most,
        others: others.slice(0, MOST_NAMED).map(({ stream }) => stream),
      })
    if (lane.holding.size >= most) fault('overlap', [...lane.holding])
    else if (entry.isOrdered) {
      // whoever was sent before it and still waits has been let in before it, and takes a place, too
      const before = waitingBefore(entry, most - lane.holding.size)
      if (lane.holding.size + before.length >= most) fault('overtaking', before)
    }
    leaveLine(entry)
    entry.state = 'holding'
    lane.holding.add(entry)
  }

  const end = (entry: Entry, fact: CommandFact): void => {
    const { lane } = entry
    if (fact.receipt) begin(entry, fact)
    leaveLine(entry)
    letGo(entry, fact, 'left')
    entry.state = 'left'
    entries.delete(entry.stream)
    lane.open--
    if (lane.open === 0) lanes.delete(lane.key)
  }

  const letGo = (entry: Entry, { at }: CommandFact, state: 'aside' | 'left'): void => {
    const { lane } = entry
    const most = mostOf(lane, at)
    if (entry.state !== 'holding') return
    release(entry, state)
    lane.most = Math.max(rules.loosest(lane.domain, lane.name, lane.limits, at).width, most - 1)
  }

  const park = (entry: Entry, fact: CommandFact): void => {
    if (entry.isParked) return
    leaveLine(entry)
    entry.isParked = true
    const { lane } = entry
    if (rules.loosest(lane.domain, lane.name, lane.limits, fact.at).passes) {
      letGo(entry, fact, 'aside')
      entry.state = 'aside'
    } else {
      entry.state = 'holding'
      lane.holding.add(entry)
    }
  }

  /** It joins its lane again when it is due, which no event says. */
  const putOff = (entry: Entry, fact: CommandFact): void => {
    leaveLine(entry)
    letGo(entry, fact, 'aside')
    entry.state = 'waiting'
  }

  const comeBack = (entry: Entry): void => {
    entry.isParked = false
    if (entry.state === 'aside') entry.state = 'waiting'
  }

  const addCommand = (fact: CommandFact): void => {
    const entry = entries.get(fact.stream)
    if (fact.type === 'CommandSent') enter(fact)
    if (entry === undefined) return
    const { to } = transitions[fact.type]
    if (fact.type === 'CommandReceived') begin(entry, fact)
    else if (terminalStatuses.includes(to)) end(entry, fact)
    else if (to === 'IN_TROUBLESHOOTING_QUEUE') park(entry, fact)
    else if (fact.type === 'OperatorRetried') comeBack(entry)
    else if (fact.later) putOff(entry, fact)
  }

  const addRule = (fact: RuleFact): void => {
    rules.set(fact)
    for (const lane of lanes.values()) {
      const isOf = fact.kind === 'limit' ? lane.limits.has(fact.name) : lane.name === fact.name
      if (lane.domain === fact.domain && isOf) mostOf(lane, fact.at)
    }
  }

  return {
    add: (fact: LaneFact): void => {
      if (fact.kind === 'command') addCommand(fact)
      else addRule(fact)
    },
    /** How many commands have begun, and how many of a lane have not ended. */
    counts: () => ({ begun: checked, open: entries.size }),
  }
}
