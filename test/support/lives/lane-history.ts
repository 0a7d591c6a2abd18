import fc from 'fast-check'
import type { CommandEventType } from '../../../src/domain/command/events.ts'
import type { CommandFact, LaneFact } from '../../../src/domain/flow/lane/lane-order.ts'

export type Choice =
  | { readonly kind: 'send'; readonly lane?: number; readonly later?: boolean; readonly many?: number }
  | { readonly kind: 'settings'; readonly lane: number; readonly width: number; readonly passes: boolean }
  | { readonly kind: 'step'; readonly which: number; readonly how: number; readonly wait: number }

/** What happens, in any order. */
export const choices: fc.Arbitrary<readonly Choice[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('send' as const),
        lane: fc.nat(2),
        later: fc.nat(5).map(n => n === 0),
        many: fc.integer({ min: 1, max: 4 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('settings' as const),
        lane: fc.nat(2),
        width: fc.integer({ min: 1, max: 3 }),
        passes: fc.boolean(),
      }),
    },
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('step' as const),
        which: fc.nat(),
        how: fc.nat(),
        wait: fc.nat(20_000),
      }),
    },
  ),
  { maxLength: 80 },
)

interface Member {
  readonly stream: string
  readonly lane: number
  state: 'scheduled' | 'waiting' | 'admitted' | 'parked' | 'aside'
  runs: boolean
  revision: number
}

/** Lanes as they are meant to work: whoever is first of those that wait is let in as soon as there is room. */
export const legalHistory = (made: readonly Choice[]): readonly LaneFact[] => {
  const facts: LaneFact[] = []
  const settings = new Map<number, { width: number; passes: boolean }>()
  let members: Member[] = []
  let [at, sends, transaction] = [0, 0, 0]

  const record = (member: Member, type: CommandEventType, later = false): void => {
    const { stream, lane, revision } = member
    const fact: CommandFact = {
      kind: 'command',
      stream,
      revision,
      type,
      domain: 'shop',
      lane: `${lane}`,
      limit: null,
      later,
      receipt: false,
      at,
      transaction: `${transaction}`,
      msgId: Number(stream),
      queue: 'normal',
    }
    facts.push(fact)
    member.revision++
  }
  const of = (lane: number) => settings.get(lane) ?? { width: 1, passes: false }
  const admit = (lane: number): void => {
    const holding = members.filter(
      one => one.lane === lane && (one.state === 'admitted' || one.state === 'parked'),
    ).length
    const next = members.filter(one => one.lane === lane && one.state === 'waiting')
    for (const one of next.slice(0, Math.max(0, of(lane).width - holding))) one.state = 'admitted'
  }
  const leave = (member: Member): void => {
    members = members.filter(one => one !== member)
  }

  const step = (member: Member, how: number): void => {
    const pick = <A>(...all: readonly [A, ...A[]]): A => all[how % all.length] as A
    if (member.state === 'scheduled') {
      leave(member)
      members.push(member)
      member.state = 'waiting'
    } else if (member.state === 'waiting') {
      if (how % 4 > 0) return
      record(member, 'CommandCanceled')
      leave(member)
    } else if (member.state === 'admitted' && !member.runs) {
      record(member, pick('CommandReceived', 'CommandReceived', 'CommandReceived', 'CommandCanceled'))
      if (how % 4 === 3) leave(member)
      else member.runs = true
    } else if (member.state === 'admitted') {
      const type = pick<CommandEventType>(
        'CommandCompleted',
        'CommandFailed',
        'CommandMovedToTroubleshooting',
        'CommandRejectedByBusinessRule',
      )
      record(member, type)
      if (type === 'CommandCompleted' || type === 'CommandRejectedByBusinessRule') leave(member)
      member.runs = false
      if (type === 'CommandMovedToTroubleshooting') member.state = of(member.lane).passes ? 'aside' : 'parked'
    } else {
      const type = pick<CommandEventType>('OperatorRetried', 'OperatorSnoozed', 'OperatorCanceled', 'OperatorCompleted')
      record(member, type)
      if (type === 'OperatorRetried') member.state = member.state === 'aside' ? 'waiting' : 'admitted'
      else if (type !== 'OperatorSnoozed') leave(member)
    }
    admit(member.lane)
  }

  for (const choice of made) {
    transaction++
    if (choice.kind === 'send') {
      const { lane = 0, later = false, many = 1 } = choice
      const state = later ? 'scheduled' : 'waiting'
      const sent = Array.from(
        { length: many },
        (): Member => ({ stream: `${sends++}`, lane, state, runs: false, revision: 0 }),
      )
      members.push(...sent)
      // the log has what one transaction sends in another order
      for (const member of sent.toReversed()) record(member, 'CommandSent', later)
      admit(lane)
    } else if (choice.kind === 'settings') {
      const { lane, width, passes } = choice
      settings.set(lane, { width, passes })
      facts.push({ kind: 'lane', domain: 'shop', name: `${lane}`, settings: { width, passes }, at })
      admit(lane)
    } else if (members.length > 0) {
      at += choice.wait
      step(members[choice.which % members.length] as Member, choice.how)
    }
  }
  return facts
}
