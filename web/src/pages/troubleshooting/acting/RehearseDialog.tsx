import { useMutation } from '@tanstack/react-query'
import { FlaskConical } from 'lucide-react'
import { api, type Rehearsal } from '../../../api/client.ts'
import { Button } from '../../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../../components/Dialog.tsx'
import { Json } from '../../../components/Json.tsx'
import { StatusBadge, type Tone, tones } from '../../../components/StatusBadge.tsx'
import { duration } from '../../../components/Time.tsx'
import { Refusal } from './Refusal.tsx'
import { TargetSummary } from './TargetSummary.tsx'
import type { Target } from './target.ts'

const outcomes: Readonly<Record<Rehearsal['outcome'], { readonly text: string; readonly tone: Tone }>> = {
  SUCCESS: { text: 'It would complete.', tone: 'ok' },
  TRANSIENT: { text: 'It would fail with a transient error, and be tried again.', tone: 'warn' },
  PERMANENT: { text: 'It would fail again and return to troubleshooting.', tone: 'bad' },
  BUSINESS_RULE: { text: 'A business rule would refuse it; it would end as failed.', tone: 'bad' },
  NO_HANDLER: { text: 'No worker has a handler for it; it would return to troubleshooting.', tone: 'bad' },
  INVALID_PAYLOAD: { text: 'The handler would refuse its payload; it would return to troubleshooting.', tone: 'bad' },
  TIMEOUT: { text: 'The handler did not end in time.', tone: 'warn' },
  CRASHED: { text: 'The handler would take its worker down.', tone: 'bad' },
}

/** What a rehearsal gave. */
export const RehearsalResult = ({ rehearsal }: { readonly rehearsal: Rehearsal }) => {
  const { outcome, error, result, durationMs, wouldBe } = rehearsal
  return (
    <div className="grid gap-3" data-testid="rehearsal" data-outcome={outcome}>
      <p role="status" className={`rounded-md px-3 py-2 font-medium ${tones[outcomes[outcome].tone]}`}>
        {outcomes[outcome].text}
      </p>
      {wouldBe !== null && (
        <p>
          Its status would be <StatusBadge status={wouldBe} />
        </p>
      )}
      {error !== null && (
        <p className="wrap-anywhere">
          <strong>{error.code}</strong>: {error.message}
        </p>
      )}
      {outcome === 'SUCCESS' && <Json value={result} label="Its result" />}
      <p className="text-muted">It took {duration(durationMs / 1000)}. Everything was rolled back.</p>
    </div>
  )
}

/** Runs the handler on a parked command, or on edited `data`, and rolls it back. */
export const useRehearsal = ({ domain, commandId }: { readonly domain: string; readonly commandId: string }) =>
  useMutation({
    mutationFn: (body: { readonly data?: unknown }) => api.rehearseCommand({ params: { domain, commandId }, body }),
  })

interface RehearseDialogProps {
  readonly target: Extract<Target, { readonly kind: 'one' }>
  readonly onClose: () => void
  /** Opens the retry. */
  readonly onRetry: () => void
}

/** Shows what a retry would do: the handler runs in a transaction that is rolled back. */
export const RehearseDialog = ({ target, onClose, onRetry }: RehearseDialogProps) => {
  const { domain, commandId } = target.command
  const rehearse = useRehearsal({ domain, commandId })
  return (
    <Dialog title="Rehearse 1 command" onClose={onClose}>
      <TargetSummary target={target} />
      <p className="text-muted">
        The handler runs on it now, and what it writes is rolled back: the command stays as it is. Handlers that call
        other systems must opt in (<code>rehearsable: true</code>).
      </p>
      <Refusal error={rehearse.error} />
      {rehearse.data && <RehearsalResult rehearsal={rehearse.data} />}
      <DialogButtons>
        <Button onClick={onClose}>Close</Button>
        {rehearse.data && <Button onClick={onRetry}>Retry …</Button>}
        <Button
          look="primary"
          busy={rehearse.isPending}
          icon={<FlaskConical aria-hidden className="size-4" />}
          onClick={() => rehearse.mutate({})}
        >
          {rehearse.data ? 'Rehearse again' : 'Rehearse 1 command'}
        </Button>
      </DialogButtons>
    </Dialog>
  )
}
