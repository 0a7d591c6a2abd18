import type { Names } from './extras.ts'
import { COMMON_CODE, LARGE, OLD, RARE } from './kinds.ts'

/** One page of the service. */
export type Call = { readonly path: string; readonly body?: object }

/** What its values are made from. */
export type Known = Names & {
  /** A parked command of the largest cause. */
  readonly commandId: string
  readonly correlationId: string
  readonly lane: string
  readonly now: number
}

type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required?: boolean
  readonly schema: { readonly enum?: readonly string[]; readonly type?: string }
}

/** What of the service's `/openapi.json` is read. */
export type Description = {
  readonly paths: Readonly<
    Record<string, { readonly get?: { readonly operationId: string; readonly parameters: readonly Parameter[] } }>
  >
}

const DAY_MS = 86_400_000

/** By the name of a parameter; `operation.name` where routes mean different things by it. */
const valuesOf = ({ now, ...known }: Known): Readonly<Record<string, readonly string[]>> => {
  const ago = (days: number): string => new Date(now - days * DAY_MS).toISOString()
  return {
    ...{
      domain: [LARGE, 'crm'],
      commandType: ['Order01', RARE, OLD, 'none'],
      errorCode: [COMMON_CODE, 'NO_CREDIT', 'none'],
    },
    ...{ commandId: [known.commandId], correlationId: [known.correlationId], idPrefix: [known.commandId.slice(0, 10)] },
    ...{ createdAfter: [ago(1)], createdBefore: [ago(20)], from: [ago(1)], to: [ago(3)], at: [ago(2)] },
    ...{ payload: ['account:DE-0000-4711'], q: ['refused it', 'none of them'] },
    ...{
      message: ['refused', 'none of them'],
      frame: ['none'],
      assignee: ['bob'],
      tag: ['bank'],
      queue: ['shop_replies'],
      messageType: ['none'],
    },
    ...{ tenantId: ['acme'], timeZone: ['Europe/Berlin'], lateAfterSeconds: ['60'], limit: ['500'], range: ['7d'] },
    ...{
      'getAction.id': [known.action],
      'getAction.at': [ago(0)],
      'getOperation.id': [known.operation],
      'getLane.domain': ['crm'],
    },
    ...{
      'getRun.id': [known.run],
      'previewRetry.id': [known.run],
      'getRunHistory.id': [known.run],
      lane: [known.lane],
    },
    ...{ 'getAlert.name': ['on-call'], 'listSentAlerts.name': ['on-call'], 'getSchedule.name': ['nightly-1'] },
    ...{ 'getView.name': ['failed'], 'getLimit.name': ['fair'], 'getLimit.domain': ['crm'] },
    ...{ 'getHistory.at': ['1'], 'getHistory.from': ['0'], 'getHistory.to': ['1'] },
    ...{ 'getRunHistory.at': ['1'], 'getRunHistory.from': ['0'], 'getRunHistory.to': ['1'] },
  }
}

/** What a condition has to be given with. */
const besides: Readonly<Record<string, string>> = {
  message: '&status=IN_TROUBLESHOOTING_QUEUE',
  ...{
    'getHistory.from': '&to=1',
    'getHistory.to': '&from=0',
    'getRunHistory.from': '&to=1',
    'getRunHistory.to': '&from=0',
  },
}

/** Where several conditions together are harder than each alone, and reads that are a POST. */
const together = (commandId: string): readonly Call[] => [
  ...[RARE, OLD, 'none'].map(type => ({ path: `/api/v1/commands?commandType=${type}&domain=${LARGE}` })),
  { path: `/api/v1/commands?commandType=${RARE}&domain=${LARGE}&status=COMPLETED` },
  { path: `/api/v1/commands?commandType=${RARE}&domain=${LARGE}&sort=oldest` },
  { path: `/api/v1/troubleshooting?domain=${LARGE}&q=none%20of%20them` },
  { path: `/api/v1/troubleshooting?q=${commandId}` },
  { path: '/api/v1/troubleshooting/actions/dry-run', body: { action: 'retry', filter: { errorCode: COMMON_CODE } } },
]

/**
 * Every page of the description with what it needs, and once more with each value of each of its conditions. A new route is
 * measured without being named here.
 * @throws when one has a parameter for which there is no value
 */
export const callsOf = (description: Description, known: Known): readonly Call[] => {
  const values = valuesOf(known)
  const found = Object.entries(description.paths).flatMap(([path, { get }]) => {
    // a stream of events does not end
    if (get === undefined || path.endsWith('/events')) return []
    const given = ({ name, schema }: Parameter): readonly string[] => {
      const ofType = schema.type === 'boolean' ? ['true', 'false'] : undefined
      const those = values[`${get.operationId}.${name}`] ?? schema.enum ?? values[name] ?? ofType
      if (those === undefined)
        throw new Error(`${get.operationId} has a new parameter ${name}: give it a value in calls.ts`)
      return those
    }
    const first = (one: Parameter): string => encodeURIComponent(given(one)[0] ?? '')
    const bare = get.parameters
      .filter(one => one.in === 'path')
      .reduce((text, one) => text.replace(`{${one.name}}`, first(one)), path)
    const queried = get.parameters.filter(one => one.in === 'query')
    const always = queried.filter(({ required }) => required === true).map(one => `${one.name}=${first(one)}`)
    const optional = queried.filter(({ required, name }) => required !== true && name !== 'cursor')
    const each = optional.flatMap(one =>
      given(one).map(
        value =>
          `${one.name}=${encodeURIComponent(value)}${besides[`${get.operationId}.${one.name}`] ?? besides[one.name] ?? ''}`,
      ),
    )
    const withQuery = (more: readonly string[]): Call => {
      const query = [...always, ...more].join('&')
      return { path: query === '' ? bare : `${bare}?${query}` }
    }
    return [withQuery([]), ...each.map(one => withQuery([one]))]
  })
  return [...found, ...together(known.commandId)]
}
