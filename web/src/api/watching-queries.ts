import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'
import type { QueryOf } from './queries.ts'

/** Figures are counted every second or two: they are reloaded by time, not by event. */
export const typesQuery = (query: QueryOf<'listTypes'>) =>
  queryOptions({
    queryKey: ['server', 'types', query],
    queryFn: ({ signal }) => api.listTypes({ query }, { signal }),
    placeholderData: keepPreviousData,
  })

export const queuesQuery = (query: QueryOf<'listQueues'>) =>
  queryOptions({
    queryKey: ['server', 'queues', query],
    queryFn: ({ signal }) => api.listQueues({ query }, { signal }),
    placeholderData: keepPreviousData,
  })

export const causesQuery = () =>
  queryOptions({ queryKey: ['server', 'failures'], queryFn: ({ signal }) => api.listFailures({}, { signal }) })

export const busStatusQuery = () =>
  queryOptions({
    queryKey: ['server', 'status'],
    queryFn: ({ signal }) =>
      api.getStatus({ query: { timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone } }, { signal }),
  })

/** Workers have no events: they announce themselves every 5 s. */
const WORKERS_MS = 5_000

export const workersQuery = (query: QueryOf<'listWorkers'>) =>
  queryOptions({
    queryKey: ['workers', 'list', query],
    queryFn: ({ signal }) => api.listWorkers({ query }, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: WORKERS_MS,
  })

export const missingWorkersQuery = (domain?: string) =>
  queryOptions({
    queryKey: ['workers', 'missing', domain ?? null],
    queryFn: ({ signal }) => api.listMissingWorkers({ query: domain === undefined ? {} : { domain } }, { signal }),
    refetchInterval: WORKERS_MS,
  })
