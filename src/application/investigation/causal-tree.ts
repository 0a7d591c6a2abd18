import { OPERATIONS_DOMAIN } from '../../domain/operation/policy.ts'
import { parseJobName } from '../../domain/workflow-run/names.ts'
import type { CommandView } from '../ports/reading/command-queries.ts'
import type { Related, RelatedEntry, RelatedRun } from '../ports/reading/investigation.ts'

interface Place {
  /** The index of its cause in the list; null at a root. */
  readonly cause: number | null
  /**
   * `parent`: a manual retry of that operation; `causation`: its sender named that command as the cause; `run`: a job of
   * that run, or a charge for it; `charge`: the refund of that charge.
   */
  readonly via: 'parent' | 'causation' | 'run' | 'charge' | null
  /** Steps below its root. */
  readonly depth: number
}

export interface CommandNode extends CommandView, Place {
  readonly kind: 'command' | 'operation'
}

/** The present state of a run; its files' commands are below it. */
export interface RunNode extends RelatedRun, Place {
  readonly kind: 'run'
}

/** A charge or refund of a run. */
export interface CreditNode extends Omit<RelatedEntry, 'kind'>, Place {
  readonly kind: 'charge' | 'refund'
}

/** An item of the causal tree. */
export type CausalNode = CommandNode | RunNode | CreditNode

type Bare<Node> = Node extends CausalNode ? Omit<Node, keyof Place> : never
type Member = Bare<CausalNode>

interface Cause {
  readonly of: Member
  readonly via: NonNullable<Place['via']>
}

/** Depth first from the roots, siblings oldest first. The items of a cycle are below its oldest member. */
export const treeOf = (related: Related): readonly CausalNode[] => {
  const members = membersOf(related)
  const causeOf = causesAmong(members)
  const causes = new Map(members.map(member => [member, causeOf(member)]))
  const children = grouped(members, member => causes.get(member)?.of ?? null)
  const items: CausalNode[] = []
  const seen = new Set<Member>()
  const add = (root: Member): void => {
    const open: (readonly [member: Member, above: number | null, depth: number])[] = [[root, null, 0]]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [member, cause, depth] = next
      if (seen.has(member)) continue
      seen.add(member)
      const via = cause === null ? null : (causes.get(member)?.via ?? null)
      const index = items.push({ ...member, cause, via, depth }) - 1
      const below = children.get(member) ?? []
      for (let i = below.length - 1; i >= 0; i--) open.push([below[i] as Member, index, depth + 1])
    }
  }
  for (const root of children.get(null) ?? []) add(root)
  for (const member of members) add(member)
  return items
}

/** Oldest first. At the same instant: the run, its charge, then the jobs in the order of their files. */
const membersOf = ({ runs, entries, commands }: Related): readonly Member[] => {
  const members: readonly Member[] = [
    ...runs.map(run => ({ ...run, kind: 'run' as const })),
    ...entries.map(entry => ({ ...entry, kind: entry.kind === 'CHARGE' ? ('charge' as const) : ('refund' as const) })),
    ...commands.map(view => ({
      ...view,
      kind: view.domain === OPERATIONS_DOMAIN ? ('operation' as const) : ('command' as const),
    })),
  ]
  if (runs.length + entries.length === 0) return members
  return members
    .map(member => ({ member, at: Date.parse(timeOf(member)), rank: rankOf(member) }))
    .sort((a, b) => a.at - b.at || a.rank - b.rank)
    .map(({ member }) => member)
}

const rankOf = (member: Member): number => {
  if (isCommand(member)) return parseJobName(member.causationId ?? '')?.index ?? 0
  return member.kind === 'run' ? -2 : -1
}

const timeOf = (member: Member): string => ('at' in member ? member.at : member.createdAt)

const isCommand = (member: Member): member is Bare<CommandNode> => 'commandId' in member

const causesAmong = (members: readonly Member[]): ((member: Member) => Cause | null) => {
  const commands = grouped(members.filter(isCommand), ({ commandId }) => commandId)
  const runs = new Map(members.flatMap(member => (member.kind === 'run' ? [[member.id, member] as const] : [])))
  const charges = new Map(
    members.flatMap(member => (member.kind === 'charge' ? [[member.chargeId, member] as const] : [])),
  )
  const named = (of: Member | undefined, via: Cause['via']): Cause | null => (of === undefined ? null : { of, via })
  const ofRun = (runId: string | null | undefined): Cause | null => named(runs.get(runId ?? ''), 'run')

  return member => {
    if (!isCommand(member)) {
      if (member.kind === 'run') return null
      const charge = member.kind === 'refund' ? charges.get(member.chargeId) : undefined
      return named(charge, 'charge') ?? ofRun(member.runId)
    }
    const { parentCommandId, causationId, domain } = member
    const parent = commands.get(parentCommandId ?? '')?.find(one => one.domain === domain)
    if (parent !== undefined && parent !== member) return named(parent, 'parent')
    return (
      named(
        commands.get(causationId?.toLowerCase() ?? '')?.find(one => one !== member),
        'causation',
      ) ?? ofRun(runOfJob(causationId))
    )
  }
}

/** The run whose job a command is; null for other commands. */
export const runOfJob = (causationId: string | null): string | null => parseJobName(causationId ?? '')?.runId ?? null

const grouped = <A, K>(members: readonly A[], keyOf: (member: A) => K): ReadonlyMap<K, A[]> => {
  const groups = new Map<K, A[]>()
  for (const member of members) {
    const key = keyOf(member)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [member])
    else group.push(member)
  }
  return groups
}
