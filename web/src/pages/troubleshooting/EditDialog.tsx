import { type FormEvent, useState } from 'react'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { JsonEditor, parseJson } from '../../components/JsonEditor.tsx'
import { Refusal } from './Refusal.tsx'
import { TargetSummary } from './TargetSummary.tsx'
import type { Target } from './target.ts'
import { useAct } from './useAct.ts'

interface EditDialogProps {
  readonly target: Extract<Target, { readonly kind: 'one' }>
  readonly onClose: () => void
  readonly onDone: () => void
}

/** A retry with another payload; the audit keeps what was changed. */
export const EditDialog = ({ target, onClose, onDone }: EditDialogProps) => {
  const [before] = useState(() => JSON.stringify(target.command.payload, null, 2))
  const [text, setText] = useState(before)
  const act = useAct(target, () => {
    onDone()
    onClose()
  })
  const parsed = parseJson(text)
  const same = parsed.ok && JSON.stringify(parsed.value) === JSON.stringify(target.command.payload)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (parsed.ok) act.mutate({ action: 'retry', ...(same ? {} : { data: parsed.value }) })
  }
  return (
    <Dialog title="Edit and retry" onClose={onClose} wide>
      <form onSubmit={submit} className="grid gap-4">
        <TargetSummary target={target} />
        <JsonEditor label="Payload" value={text} onChange={setText} rows={16} />
        <p className="text-muted">
          {same
            ? 'Not changed: the original payload is sent again.'
            : 'The audit keeps the difference, with your name.'}
        </p>
        <Refusal error={act.error} />
        <DialogButtons>
          <Button disabled={text === before} onClick={() => setText(before)}>
            Undo changes
          </Button>
          <Button onClick={onClose}>Back</Button>
          <Button type="submit" look="primary" busy={act.isPending} disabled={!parsed.ok}>
            {same ? 'Retry 1 command' : 'Retry with this payload'}
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  )
}
