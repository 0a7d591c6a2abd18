import { ShieldCheck, ShieldQuestion } from 'lucide-react'
import { healthTones, useHealth } from '../../app/useHealth.ts'
import { ErrorDisplay } from '../../components/ErrorDisplay.tsx'
import { Section } from '../../components/Page.tsx'
import { Badge } from '../../components/StatusBadge.tsx'
import { Answered } from '../../components/states.tsx'

/** Whether the log still is what was written, as far as this service has looked. */
export const ProofPanel = () => {
  const health = useHealth()
  return (
    <Section title="Proof">
      <Answered query={health} what="the state of the proof">
        {({ checks: { proof } }) => (
          <div className="grid gap-3 p-4 text-sm">
            {proof === undefined ? (
              <p className="flex items-center gap-2">
                <ShieldQuestion aria-hidden className="size-5 text-muted" />
                This service does not check the log by itself.
              </p>
            ) : (
              <>
                <p className="flex flex-wrap items-center gap-2">
                  <ShieldCheck aria-hidden className="size-5 text-muted" />
                  <Badge tone={healthTones[proof.status]}>{proof.status}</Badge>
                  {proof.status === 'healthy'
                    ? 'Nothing was found that does not fit: events, their seals and the read tables agree.'
                    : 'Something needs a look:'}
                </p>
                {proof.reasons.map(reason => (
                  <ErrorDisplay key={reason} severity="warning" message={reason} />
                ))}
              </>
            )}
            <p className="max-w-prose text-muted">
              The service goes round through the log a little at a time. To look at all of it now, run:
            </p>
            <pre className="overflow-x-auto rounded-md bg-raised p-3 font-mono text-xs">npx commandbus verify</pre>
          </div>
        )}
      </Answered>
    </Section>
  )
}
