import { type FormEvent, useState } from 'react'
import { Button } from '../../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../../components/Dialog.tsx'
import { JsonEditor, parseJson } from '../../../components/JsonEditor.tsx'
import { ReasonField } from '../../../components/ReasonField.tsx'
import { CanaryField } from './CanaryField.tsx'
import { DryRun } from './DryRun.tsx'
import { Refusal } from './Refusal.tsx'
import { TargetSummary } from './TargetSummary.tsx'
import { type ActionKind, counted, howMany, type Target } from './target.ts'
import { type Choice, useAct } from './useAct.ts'

interface Words {
  readonly verb: string
  readonly one: string
  readonly many: string
}

const words: Readonly<Record<ActionKind, Words>> = {
  retry: {
    verb: 'Retry',
    one: 'The payload is sent again, as a new message with the same command id.',
    many: 'Each payload is sent again, as a new message with the same command id.',
  },
  cancel: {
    verb: 'Cancel',
    one: 'It ends as canceled, for good. The sender gets the reason in the reply.',
    many: 'They end as canceled, for good. Each sender gets the reason in the reply.',
  },
  complete: {
    verb: 'Complete',
    one: 'It ends as completed by you. The sender gets this result in the reply.',
    many: 'They end as completed by you. Each sender gets this result in the reply.',
  },
}

interface ActDialogProps {
  readonly action: ActionKind
  readonly target: Target
  readonly onClose: () => void
  readonly onDone: () => void
}

/** Asks before anything is done: says how many commands and which, and takes what the action needs. */
export const ActDialog = ({ action, target, onClose, onDone }: ActDialogProps) => {
  const { verb, one, many } = words[action]
  const count = howMany(target)
  const [reason, setReason] = useState('')
  const [result, setResult] = useState('null')
  const [canary, setCanary] = useState<number | null>(null)
  const [keepAttempts, setKeepAttempts] = useState(false)
  const act = useAct(target, () => {
    onDone()
    onClose()
  })
  const parsed = parseJson(result)
  const ready = action === 'cancel' ? reason.trim() !== '' : action === 'complete' ? parsed.ok : true

  const choices: Record<ActionKind, Choice> = {
    retry: { action: 'retry', ...(keepAttempts ? { resetAttempts: false } : {}), ...(canary ? { canary } : {}) },
    cancel: { action: 'cancel', reason: reason.trim() },
    complete: { action: 'complete', ...(parsed.ok ? { resultData: parsed.value } : {}) },
  }

  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (ready) act.mutate(choices[action])
  }

  return (
    <Dialog title={`${verb} ${counted(count)}`} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <TargetSummary target={target} />
        <p className="text-muted">{count === 1 ? one : many}</p>
        {action === 'cancel' && <ReasonField value={reason} onChange={setReason} />}
        {action === 'complete' && <JsonEditor label="Result (JSON)" value={result} onChange={setResult} rows={5} />}
        {action === 'retry' && (
          <>
            {target.kind !== 'one' && count > 1 && <CanaryField count={count} value={canary} onChange={setCanary} />}
            <label className="flex items-start gap-2">
              <input
                type="checkbox"
                className="mt-1"
                checked={keepAttempts}
                onChange={event => setKeepAttempts(event.target.checked)}
              />
              <span>
                Keep the count of attempts
                <span className="block text-xs text-muted">
                  {count === 1
                    ? 'Otherwise it gets all its attempts again.'
                    : 'Otherwise they get all their attempts again.'}
                </span>
              </span>
            </label>
          </>
        )}
        {target.kind !== 'one' && <DryRun target={target} choice={choices[action]} ready={ready} />}
        <Refusal error={act.error} />
        <DialogButtons>
          <Button onClick={onClose}>Back</Button>
          <Button
            type="submit"
            look={action === 'cancel' ? 'danger' : 'primary'}
            busy={act.isPending}
            disabled={!ready}
          >
            {verb} {counted(count)}
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  )
}
