import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { visible } from '../../../../../src/domain/visible-text.ts'
import { payloadQuery } from '../../../api/queries.ts'
import { Button } from '../../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../../components/Dialog.tsx'
import { Beginning } from '../../../components/Json.tsx'
import { JsonEditor, parseJson } from '../../../components/JsonEditor.tsx'
import { Answered } from '../../../components/states.tsx'
import { isGone, Refusal } from './Refusal.tsx'
import { TargetSummary } from './TargetSummary.tsx'
import type { Target } from './target.ts'
import { useAct } from './useAct.ts'

interface EditDialogProps {
  readonly target: Extract<Target, { readonly kind: 'one' }>
  readonly onClose: () => void
  readonly onDone: () => void
}

/** Retries with another payload; the audit shows the change. A payload that the list left out is read first. */
export const EditDialog = (props: EditDialogProps) => {
  const { domain, commandId, payload, payloadBytes, payloadPreview } = props.target.command
  const whole = useQuery({ ...payloadQuery(domain, commandId), enabled: payloadBytes !== undefined })
  return (
    <Dialog title="Edit and retry" onClose={props.onClose} wide>
      {payloadBytes === undefined ? (
        <EditForm {...props} payload={payload} />
      ) : (
        <>
          {whole.data === undefined && <Beginning bytes={payloadBytes} preview={payloadPreview} />}
          <Answered query={whole} what="the whole payload">
            {({ data }) => <EditForm {...props} payload={data} />}
          </Answered>
        </>
      )}
    </Dialog>
  )
}

const EditForm = ({ target, payload, onClose, onDone }: EditDialogProps & { readonly payload: unknown }) => {
  // the dialog does not change when the list or the command behind it does
  const [before] = useState(() => visible(JSON.stringify(payload, null, 2)))
  const [original] = useState(() => JSON.stringify(payload))
  const [text, setText] = useState(before)
  const act = useAct(target, () => {
    onDone()
    onClose()
  })
  const parsed = parseJson(text)
  const same = parsed.ok && JSON.stringify(parsed.value) === original
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (parsed.ok) act.mutate({ action: 'retry', ...(same ? {} : { data: parsed.value }) })
  }
  return (
    <form onSubmit={submit} className="grid gap-4">
      <TargetSummary target={target} />
      <JsonEditor label="Payload" value={text} onChange={setText} rows={16} />
      <p className="text-muted">
        {same ? 'Not changed: the original payload is sent again.' : 'The audit keeps the difference, with your name.'}
      </p>
      <Refusal error={act.error} sent />
      <DialogButtons>
        <Button disabled={text === before} onClick={() => setText(before)}>
          Undo changes
        </Button>
        <Button onClick={onClose}>Back</Button>
        <Button type="submit" look="primary" busy={act.isPending} disabled={!parsed.ok || isGone(act.error)}>
          {same ? 'Retry 1 command' : 'Retry with this payload'}
        </Button>
      </DialogButtons>
    </form>
  )
}
