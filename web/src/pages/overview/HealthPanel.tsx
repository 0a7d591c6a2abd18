import { useQuery } from '@tanstack/react-query'
import type { HealthReport } from '../../../../src/infrastructure/http/contract/health.ts'
import type { Stats } from '../../api/client.ts'
import { useRefresh } from '../../app/LiveProvider.tsx'
import { Section } from '../../components/Page.tsx'
import { Badge, type Tone } from '../../components/StatusBadge.tsx'
import { Answered } from '../../components/states.tsx'
import { duration } from '../../components/Time.tsx'

const tones: Readonly<Record<HealthReport['status'], Tone>> = { healthy: 'ok', degraded: 'warn', critical: 'bad' }

/** 503 carries a report as well. */
const askHealth = async (signal: AbortSignal): Promise<HealthReport> => {
  const response = await fetch('/health/ready', { signal })
  return (await response.json()) as HealthReport
}

/** How the parts of the service are, and how far readers of the log are behind. */
export const HealthPanel = ({ feed }: { readonly feed: Stats['feed'] }) => {
  const health = useQuery({
    queryKey: ['server', 'health'],
    queryFn: ({ signal }) => askHealth(signal),
    refetchInterval: useRefresh(10_000),
  })
  return (
    <Section title="Health">
      <Answered query={health} what="health">
        {({ checks }) => (
          <dl className="grid gap-2 p-4 text-sm">
            {Object.entries(checks).map(([part, { status, reasons }]) => (
              <div key={part} className="flex items-baseline justify-between gap-3">
                <dt className="capitalize">{part}</dt>
                <dd className="text-right">
                  <Badge tone={tones[status]}>{status}</Badge>
                  {reasons.map(reason => (
                    <span key={reason} className="block text-xs text-muted">
                      {reason}
                    </span>
                  ))}
                </dd>
              </div>
            ))}
            <div className="flex items-baseline justify-between gap-3">
              <dt>Feed is behind by</dt>
              <dd>
                {duration(feed.lagSeconds)}
                {feed.heldBack > 0 && `, ${feed.heldBack} events`}
              </dd>
            </div>
            {feed.oldestWriterSeconds > 1 && (
              <div className="flex items-baseline justify-between gap-3">
                <dt>Oldest open write</dt>
                <dd>{duration(feed.oldestWriterSeconds)}</dd>
              </div>
            )}
          </dl>
        )}
      </Answered>
    </Section>
  )
}
