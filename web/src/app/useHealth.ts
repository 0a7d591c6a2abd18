import { useQuery } from '@tanstack/react-query'
import type { HealthReport, HealthStatus } from '../../../src/contract/health.ts'
import { timedFetch } from '../api/fetch.ts'
import { currentToken } from '../api/session.ts'
import type { Tone } from '../components/StatusBadge.tsx'
import { useRefresh } from './LiveProvider.tsx'

const REFRESH_MS = 10_000

export const healthTones: Readonly<Record<HealthReport['status'], Tone>> = {
  healthy: 'ok',
  degraded: 'warn',
  critical: 'bad',
}

/** A 503 has a report, too; without the right to audit it has only the status. */
const askHealth = async (signal: AbortSignal): Promise<HealthReport | HealthStatus> => {
  const response = await timedFetch('/health/ready', { signal, headers: { authorization: `Bearer ${currentToken()}` } })
  return (await response.json()) as HealthReport | HealthStatus
}

/** The health of each part of the service. */
export const useHealth = () =>
  useQuery({
    queryKey: ['server', 'health'],
    queryFn: ({ signal }) => askHealth(signal),
    refetchInterval: useRefresh(REFRESH_MS),
  })
