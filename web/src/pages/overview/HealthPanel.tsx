import type { HealthReport, HealthStatus } from '../../../../src/contract/health.ts'
import type { Stats } from '../../api/client.ts'
import { Link } from '../../app/router.tsx'
import { healthTones, useHealth } from '../../app/useHealth.ts'
import { Section } from '../../components/Page.tsx'
import { Badge } from '../../components/StatusBadge.tsx'
import { Answered } from '../../components/states.tsx'
import { duration } from '../../components/Time.tsx'

/** A user who may not see the parts sees one status for all of them. */
const partsOf = (report: HealthReport | HealthStatus): HealthReport['checks'] =>
  'checks' in report ? report.checks : { service: { status: report.status, reasons: [] } }

/** The health of each part of the service, and how far readers of the log are behind. */
export const HealthPanel = ({ feed }: { readonly feed: Stats['feed'] }) => {
  const health = useHealth()
  return (
    <Section title="Health">
      <Answered query={health} what="health">
        {report => (
          <dl className="grid gap-2 p-4 text-sm">
            {Object.entries(partsOf(report)).map(([part, { status, reasons }]) => (
              <div key={part} className="flex items-baseline justify-between gap-3">
                <dt className="capitalize">{part}</dt>
                <dd className="text-right">
                  <Badge tone={healthTones[status]}>{status}</Badge>
                  {part === 'workers' && reasons.length > 0 ? (
                    // the sentence on top of the page has them
                    <Link href="/workers" className="block text-xs text-accent underline">
                      Workers
                    </Link>
                  ) : (
                    reasons.map(reason => (
                      <span key={reason} className="block text-xs text-muted">
                        {reason}
                      </span>
                    ))
                  )}
                </dd>
              </div>
            ))}
            <div className="flex items-baseline justify-between gap-3">
              <dt>Feed lag</dt>
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
