import { useMutation } from '@tanstack/react-query'
import { parkedActions } from '../../../../../src/domain/command/operator-actions.ts'
import { api } from '../../../api/client.ts'
import { Button } from '../../../components/Button.tsx'
import { Mono } from '../../../components/Json.tsx'
import { Refusal } from './Refusal.tsx'
import { counted, type Target } from './target.ts'
import { actionBody, type Choice } from './useAct.ts'

interface DryRunProps {
  readonly target: Target
  readonly choice: Choice
  readonly ready: boolean
  /** Carries out what was shown, or nothing when that has changed. */
  readonly onExactly: (planToken: string) => void
}

/** Shows what a bulk action would do, and what prevents it, before it is started. */
export const DryRun = ({ target, choice, ready, onExactly }: DryRunProps) => {
  const check = useMutation({
    mutationFn: async (asked: string) => ({ ...(await api.dryRunAction({ body: actionBody(target, choice) })), asked }),
  })
  const found = check.data
  const asked = JSON.stringify(choice)
  return (
    <div className="grid gap-2">
      <Button
        className="justify-self-start"
        busy={check.isPending}
        disabled={!ready}
        onClick={() => check.mutate(asked)}
      >
        Check first
      </Button>
      <Refusal error={check.error} />
      {found && (
        <div role="status" className="grid gap-1 rounded-md bg-raised p-3" data-testid="dry-run">
          <p>
            Dry run: <strong>{found.would}</strong> of {counted(found.total)} would be{' '}
            {parkedActions[choice.action].past.toLowerCase()}
            {found.decided < found.total && `, of ${found.decided} checked`}
            {found.blocked > 0 && `, and ${found.blocked} cannot be`}. Nothing was changed.
          </p>
          {found.blockedSamples.length > 0 && (
            <ul className="grid gap-0.5 text-xs text-muted">
              {found.blockedSamples.slice(0, 5).map(({ domain, commandId, message }) => (
                <li key={`${domain}/${commandId}`} className="wrap-anywhere">
                  <Mono>{commandId}</Mono>: {message}
                </li>
              ))}
            </ul>
          )}
          {found.asked === asked && (
            <Button className="justify-self-start" disabled={!ready} onClick={() => onExactly(found.planToken)}>
              Carry out exactly this
            </Button>
          )}
        </div>
      )}
    </div>
  )
}
