import type { AlertKind, LateReplies } from '../ports/alerting/alert-store.ts'
import type { AlertRule, AlertWork, Fact, Subject } from '../ports/alerting/alert-work.ts'
import type { Ids } from '../ports/ids.ts'
import { messageOf } from './message.ts'
import { isQuiet } from './quiet-hours.ts'
import { batchesOf, changesOf } from './subjects.ts'

export interface WatchDeps {
  readonly work: AlertWork
  readonly ids: Ids
  readonly derivedId: (text: string) => string
  readonly publicUrl: string | undefined
}

/** Looks at what is wrong, and writes down the webhooks that say so. */
export const watch = async ({ work, ids, derivedId, publicUrl }: WatchDeps): Promise<void> => {
  const rules = await work.rules()
  if (rules.length === 0) return
  const now = await work.now()
  const causes = new Map<string, readonly Fact[]>()
  for (const { scope, on } of rules)
    if (!causes.has(scope) && on.some(kind => kind !== 'lateReplies')) causes.set(scope, await work.causes(scope))
  const late = rules.some(({ on }) => on.includes('lateReplies')) ? lateFacts(await work.lateReplies(), now) : []
  const keyOf = ({ kind, domain, commandType, errorCode }: Fact): string =>
    derivedId(JSON.stringify(['alert', kind, domain, commandType, errorCode]))
  for (const rule of rules) {
    const facts = rule.on.flatMap(kind => factsOf(kind, causes.get(rule.scope) ?? [], late))
    const present = new Map(facts.map(fact => [keyOf(fact), fact]))
    await work.changing(rule, async writes => {
      const known = await writes.known()
      const { puts, over } = changesOf(known, present, now)
      if (puts.length > 0) await writes.put(puts)
      if (over.length > 0) await writes.drop(over)
      const pending = new Map([...known, ...puts].filter(([, { pendingSince }]) => pendingSince !== null))
      const webhooks = webhooksOf(rule, pending, now)
      if (webhooks.length > 0) await writes.add(webhooks)
    })
  }

  function webhooksOf(rule: AlertRule, pending: ReadonlyMap<string, Subject>, at: string) {
    const batches = batchesOf(pending, { ...rule, isQuiet: isQuiet(rule.quiet, at) }, at)
    return batches.map(keys => {
      const id = ids.next()
      const facts = keys.flatMap(key => pending.get(key)?.facts ?? [])
      return { id, keys, body: messageOf({ id, alert: rule.name, at, publicUrl }, facts) }
    })
  }
}

const factsOf = (kind: AlertKind, causes: readonly Fact[], late: readonly Fact[]): readonly Fact[] => {
  switch (kind) {
    case 'groups':
      return causes
    case 'lateReplies':
      return late
    case 'parked':
      return byDomain(causes)
  }
}

const byDomain = (causes: readonly Fact[]): readonly Fact[] => {
  const domains = new Map<string, Fact>()
  for (const { domain, count, first, last } of causes) {
    const before = domains.get(domain ?? '')
    domains.set(domain ?? '', {
      kind: 'parked',
      domain,
      commandType: null,
      errorCode: null,
      count: count + (before?.count ?? 0),
      first: before === undefined || first < before.first ? first : before.first,
      last: before === undefined || last > before.last ? last : before.last,
    })
  }
  return [...domains.values()]
}

const lateFacts = ({ late, oldest }: LateReplies, now: string): readonly Fact[] => {
  if (late === 0) return []
  const since = oldest ?? now
  const nobody = { domain: null, commandType: null, errorCode: null }
  return [{ kind: 'lateReplies', ...nobody, count: late, first: since, last: since }]
}
