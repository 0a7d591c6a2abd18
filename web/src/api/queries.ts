import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { Api } from '../../../src/contract/index.ts'
import type { RequestOf } from '../../../src/contract/route.ts'
import { api } from './client.ts'

export type QueryOf<Id extends keyof Api> = RequestOf<Api[Id]>['query']

export const PAGE_SIZE = 50

/** Keys of lists start with the list's name; keys of one thing end with its id. */
export const statsQuery = () =>
  queryOptions({ queryKey: ['stats'], queryFn: ({ signal }) => api.getStats({}, { signal }) })

export const commandsQuery = (query: QueryOf<'listCommands'>) =>
  queryOptions({
    queryKey: ['commands', query],
    queryFn: ({ signal }) => api.listCommands({ query: { limit: PAGE_SIZE, ...query } }, { signal }),
    placeholderData: keepPreviousData,
  })

export const commandQuery = (domain: string, commandId: string) =>
  queryOptions({
    queryKey: ['command', 'detail', domain, commandId],
    queryFn: ({ signal }) => api.getCommand({ params: { domain, commandId } }, { signal }),
  })

/** The command with its current payload, never a cached one, because it is about to be edited. */
export const payloadQuery = (domain: string, commandId: string) =>
  queryOptions({
    queryKey: ['command', 'payload', domain, commandId],
    queryFn: ({ signal }) => api.getCommand({ params: { domain, commandId } }, { signal }),
    gcTime: 0,
  })

export const auditQuery = (domain: string, commandId: string) =>
  queryOptions({
    queryKey: ['command', 'audit', domain, commandId],
    queryFn: ({ signal }) => api.getAuditTrail({ params: { domain, commandId } }, { signal }),
  })

export const parkedQuery = (query: QueryOf<'listParked'>) =>
  queryOptions({
    queryKey: ['parked', query],
    queryFn: ({ signal }) => api.listParked({ query: { limit: PAGE_SIZE, ...query } }, { signal }),
    placeholderData: keepPreviousData,
  })

export const groupsQuery = (query: QueryOf<'groupParked'>) =>
  queryOptions({
    queryKey: ['groups', query],
    queryFn: ({ signal }) => api.groupParked({ query }, { signal }),
    placeholderData: keepPreviousData,
  })

/** Who waits in a lane has no events of its own. */
const LANES_MS = 5_000

export const lanesQuery = (query: QueryOf<'listLanes'>) =>
  queryOptions({
    queryKey: ['lanes', query],
    queryFn: ({ signal }) => api.listLanes({ query: { limit: PAGE_SIZE, ...query } }, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: LANES_MS,
  })

/** The times of schedules have no events. */
const SCHEDULES_MS = 10_000

export const schedulesQuery = (query: QueryOf<'listSchedules'>) =>
  queryOptions({
    queryKey: ['schedules', query],
    queryFn: ({ signal }) => api.listSchedules({ query: { limit: PAGE_SIZE, ...query } }, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: SCHEDULES_MS,
  })

/** What is sent has no events of its own. */
const ALERTS_MS = 5_000

export const alertsQuery = () =>
  queryOptions({
    queryKey: ['alerts'],
    queryFn: ({ signal }) => api.listAlerts({}, { signal }),
    refetchInterval: ALERTS_MS,
  })

export const sentAlertsQuery = (name: string, query: QueryOf<'listSentAlerts'>) =>
  queryOptions({
    queryKey: ['alerts', 'sent', name, query],
    queryFn: ({ signal }) =>
      api.listSentAlerts({ params: { name }, query: { limit: PAGE_SIZE, ...query } }, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ALERTS_MS,
  })

/** What is written down about one cause. */
export const causeQuery = (key: { domain: string; commandType: string; errorCode: string }) =>
  queryOptions({
    queryKey: ['causes', key],
    queryFn: async ({ signal }) => (await api.listCauses({ query: key }, { signal })).items[0] ?? null,
  })

/** Pauses run out without an event. */
const PAUSES_MS = 5_000

export const pausesQuery = () =>
  queryOptions({
    queryKey: ['pauses'],
    queryFn: ({ signal }) => api.listPauses({}, { signal }),
    refetchInterval: PAUSES_MS,
  })

/** A reply becomes late without an event. */
const OWED_MS = 10_000

export const owedQuery = (query: QueryOf<'listOwed'>) =>
  queryOptions({
    queryKey: ['owed', query],
    queryFn: ({ signal }) => api.listOwed({ query: { limit: PAGE_SIZE, ...query } }, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: OWED_MS,
  })

export const viewsQuery = () =>
  queryOptions({ queryKey: ['views'], queryFn: ({ signal }) => api.listViews({}, { signal }), staleTime: 30_000 })

export const searchableQuery = () =>
  queryOptions({
    queryKey: ['searchable'],
    queryFn: ({ signal }) => api.listSearchable({}, { signal }),
    staleTime: 30_000,
  })

/** Of programs, not of data: they change with a restart. */
const REHEARSABLE_MS = 60_000

export const rehearsableQuery = () =>
  queryOptions({
    queryKey: ['server', 'rehearsable'],
    queryFn: ({ signal }) => api.listRehearsable({}, { signal }),
    staleTime: REHEARSABLE_MS,
  })

export const undeliveredQuery = (query: QueryOf<'listUndelivered'>) =>
  queryOptions({
    queryKey: ['undelivered', query],
    queryFn: ({ signal }) => api.listUndelivered({ query: { limit: PAGE_SIZE, ...query } }, { signal }),
    placeholderData: keepPreviousData,
  })

export const strangersQuery = (query: QueryOf<'listStrangers'>) =>
  queryOptions({
    queryKey: ['strangers', query],
    queryFn: ({ signal }) => api.listStrangers({ query: { limit: PAGE_SIZE, ...query } }, { signal }),
    placeholderData: keepPreviousData,
  })

/** Actions have no events: while one runs, the list is reloaded. */
const ACTIONS_MS = 2_000

export const actionsQuery = (query: QueryOf<'listActions'>) =>
  queryOptions({
    queryKey: ['actions', query],
    queryFn: ({ signal }) => api.listActions({ query: { limit: PAGE_SIZE, ...query } }, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.items.some(
        ({ status }) => status === 'RUNNING' || status === 'WAITING_FOR_CANARY' || status === 'PAUSED',
      )
        ? ACTIONS_MS
        : false,
  })

export const isOver = ({ status }: { readonly status: string }): boolean =>
  status === 'completed' || status === 'failed'

/** Between two loads of an operation that is not over. */
export const FOLLOW_MS = 2_500

export const operationsQuery = (query: QueryOf<'listOperations'>) =>
  queryOptions({
    queryKey: ['operations', query],
    queryFn: ({ signal }) => api.listOperations({ query: { limit: PAGE_SIZE, ...query } }, { signal }),
    placeholderData: keepPreviousData,
  })

/** Reloaded until it is completed or failed, also without live events. */
export const operationQuery = (id: string) =>
  queryOptions({
    queryKey: ['operation', id],
    queryFn: ({ signal }) => api.getOperation({ params: { id } }, { signal }),
    refetchInterval: ({ state }) => (state.data !== undefined && isOver(state.data) ? false : FOLLOW_MS),
  })

export const historyQuery = (domain: string, commandId: string) =>
  queryOptions({
    queryKey: ['command', 'history', domain, commandId],
    queryFn: ({ signal }) => api.getHistory({ params: { domain, commandId } }, { signal }),
  })

export const attemptsQuery = (domain: string, commandId: string) =>
  queryOptions({
    queryKey: ['command', 'attempts', domain, commandId],
    queryFn: ({ signal }) => api.getAttempts({ params: { domain, commandId } }, { signal }),
  })

/** Samples of thousands of commands: read when it is asked for, and not at every event. */
export const explainQuery = (query: QueryOf<'explainCause'>) =>
  queryOptions({
    queryKey: ['server', 'explain', query],
    queryFn: ({ signal }) => api.explainCause({ query }, { signal }),
    staleTime: 30_000,
  })

/** The complete command after one of its events. That never changes. */
export const historyAtQuery = (domain: string, commandId: string, at: number) =>
  queryOptions({
    queryKey: ['history-at', domain, commandId, at],
    queryFn: ({ signal }) => api.getHistory({ params: { domain, commandId }, query: { at: String(at) } }, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })

export const correlationQuery = (correlationId: string) =>
  queryOptions({
    queryKey: ['correlation', correlationId],
    queryFn: ({ signal }) => api.getCorrelation({ params: { correlationId } }, { signal }),
  })

const PROOF_MS = 10_000

/** The verification runs in the background and has no events. */
export const proofQuery = () =>
  queryOptions({
    queryKey: ['server', 'proof'],
    queryFn: ({ signal }) => api.getProof({}, { signal }),
    refetchInterval: PROOF_MS,
  })

export const parkedAtQuery = (query: QueryOf<'listParkedAt'>) =>
  queryOptions({
    queryKey: ['parked-at', query],
    queryFn: ({ signal }) => api.listParkedAt({ query: { limit: PAGE_SIZE, ...query } }, { signal }),
    placeholderData: keepPreviousData,
  })

/** Between two loads of an active run, when no event arrives. */
const RUN_MS = 2_000

export const isActive = ({ status }: { readonly status: string }): boolean =>
  status === 'QUEUED' || status === 'RUNNING'

export const runsQuery = (query: QueryOf<'listRuns'>) =>
  queryOptions({
    queryKey: ['runs', query],
    queryFn: ({ signal }) => api.listRuns({ query: { limit: PAGE_SIZE, ...query } }, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some(isActive) ? RUN_MS : false),
  })

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ['run', id],
    queryFn: ({ signal }) => api.getRun({ params: { id } }, { signal }),
    refetchInterval: ({ state }) => (state.data !== undefined && isActive(state.data) ? RUN_MS : false),
  })

export const templatesQuery = (query: QueryOf<'listTemplates'> = {}) =>
  queryOptions({
    queryKey: ['templates', query],
    queryFn: ({ signal }) => api.listTemplates({ query: { limit: 200, ...query } }, { signal }),
    placeholderData: keepPreviousData,
  })

export const creditsQuery = (query: QueryOf<'getCredits'>) =>
  queryOptions({
    queryKey: ['credits', query],
    queryFn: ({ signal }) => api.getCredits({ query: { limit: PAGE_SIZE, ...query } }, { signal }),
    placeholderData: keepPreviousData,
  })
