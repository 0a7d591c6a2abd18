import { useQuery } from '@tanstack/react-query'
import { ShieldAlert, ShieldCheck, ShieldQuestion } from 'lucide-react'
import type { Proof } from '../../api/client.ts'
import { proofQuery } from '../../api/queries.ts'
import { ErrorDisplay } from '../../components/ErrorDisplay.tsx'
import { Section } from '../../components/Page.tsx'
import { Badge, type Tone } from '../../components/StatusBadge.tsx'
import { Answered } from '../../components/states.tsx'
import { Ago, At, duration } from '../../components/Time.tsx'

const verdicts = {
  HOLDS: {
    icon: ShieldCheck,
    tone: 'ok',
    label: 'verified',
    text: 'No problems found: events, seals and read tables match.',
  },
  DOES_NOT_HOLD: { icon: ShieldAlert, tone: 'bad', label: 'problems found', text: 'These do not match:' },
  UNKNOWN: {
    icon: ShieldQuestion,
    tone: 'idle',
    label: 'not known yet',
    text: 'No round has finished since the service started.',
  },
} as const satisfies Readonly<
  Record<
    Proof['verdict'],
    { readonly icon: unknown; readonly tone: Tone; readonly label: string; readonly text: string }
  >
>

/** Events are sealed within seconds; a longer delay needs attention. */
const LATE_SEAL_S = 300

const Findings = ({ proof }: { readonly proof: Proof }) => (
  <>
    <ul className="grid gap-2">
      {proof.found.map(({ kind, stream, column, message }) => (
        <li key={`${stream} ${column} ${message}`} className="rounded-md bg-bad-soft px-3 py-2 text-bad">
          <span className="font-medium">{kind}</span>: <span className="wrap-anywhere">{message}</span>
          <span className="block font-mono text-xs wrap-anywhere">{stream}</span>
        </li>
      ))}
    </ul>
    {proof.findings > proof.found.length && (
      <p className="text-muted">
        {proof.found.length === 0
          ? `${proof.findings} found; only tokens without a tenant see them.`
          : `and ${proof.findings - proof.found.length} more`}
      </p>
    )}
  </>
)

const Facts = ({ proof }: { readonly proof: Proof }) => (
  <dl className="grid grid-cols-[10rem_minmax(0,1fr)] gap-y-1.5">
    <dt className="text-muted">Last full round</dt>
    <dd data-testid="verified">
      {proof.verifiedAt === null ? (
        'none yet'
      ) : (
        <>
          <Ago at={proof.verifiedAt} />, <At at={proof.verifiedAt} />
        </>
      )}
    </dd>
    {proof.roundSince !== null && (
      <>
        <dt className="text-muted">Round under way</dt>
        <dd>
          since <At at={proof.roundSince} />
        </dd>
      </>
    )}
    <dt className="text-muted">Not sealed yet</dt>
    <dd>{(proof.sealLagSeconds ?? 0) < 1 ? 'nothing' : `events of the last ${duration(proof.sealLagSeconds ?? 0)}`}</dd>
  </dl>
)

/** Whether the log is unchanged, as far as this service has verified it, and when that was. */
export const ProofPanel = () => {
  const proof = useQuery(proofQuery())
  return (
    <Section title="Proof">
      <Answered query={proof} what="the state of the proof">
        {proof => {
          const { icon: Icon, tone, label, text } = verdicts[proof.verdict]
          return (
            <div className="grid gap-3 p-4 text-sm">
              {!proof.checking ? (
                <p className="flex items-center gap-2">
                  <ShieldQuestion aria-hidden className="size-5 text-muted" />
                  This service does not verify the log continuously.
                </p>
              ) : (
                <>
                  <p className="flex flex-wrap items-center gap-2">
                    <Icon aria-hidden className="size-5 text-muted" />
                    <Badge tone={tone}>{label}</Badge>
                    {text}
                  </p>
                  {proof.findings > 0 && <Findings proof={proof} />}
                  {(proof.sealLagSeconds ?? 0) >= LATE_SEAL_S && (
                    <ErrorDisplay
                      severity="warning"
                      message={`Events have not been sealed for ${duration(proof.sealLagSeconds ?? 0)}. What to do: look for a transaction that has written and is still open.`}
                    />
                  )}
                  {proof.failing !== null && (
                    <ErrorDisplay
                      severity="warning"
                      message={`The last verification failed: ${proof.failing}. It is tried again.`}
                    />
                  )}
                  <Facts proof={proof} />
                </>
              )}
              <p className="max-w-prose text-muted">To verify the whole log now, run:</p>
              <pre className="overflow-x-auto rounded-md bg-raised p-3 font-mono text-xs">npx commandbus verify</pre>
            </div>
          )
        }}
      </Answered>
    </Section>
  )
}
