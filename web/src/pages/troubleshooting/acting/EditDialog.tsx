import { useQuery } from '@tanstack/react-query'
import { FlaskConical } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { jsonDiff } from '../../../../../src/domain/json/json-diff.ts'
import { visible } from '../../../../../src/domain/visible-text.ts'
import { payloadQuery } from '../../../api/queries.ts'
import { Button } from '../../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../../components/Dialog.tsx'
import { Beginning } from '../../../components/Json.tsx'
import { JsonEditor, parseJson } from '../../../components/JsonEditor.tsx'
import { Answered } from '../../../components/states.tsx'
import { Changes } from '../../commands/Changes.tsx'
import { draftOf, dropDraft, keepDraft } from './drafts.ts'
import { isGone, Refusal } from './Refusal.tsx'
import { RehearsalResult, useRehearsal } from './RehearseDialog.tsx'
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
  const { command } = target
  // the dialog does not change when the list or the command behind it does
  const [before] = useState(() => visible(JSON.stringify(payload, null, 2)))
  const [original] = useState(() => JSON.stringify(payload))
  const [draft] = useState(() => draftOf(command, original))
  const [text, setText] = useState(draft ?? before)
  const rehearse = useRehearsal(command)
  const act = useAct(target, () => {
    dropDraft(command)
    onDone()
    onClose()
  })
  const parsed = parseJson(text)
  const same = parsed.ok && JSON.stringify(parsed.value) === original
  const edited = parsed.ok && !same ? { data: parsed.value } : {}
  const change = (next: string): void => {
    setText(next)
    rehearse.reset()
    if (next === before) dropDraft(command)
    else keepDraft(command, { of: original, text: next })
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (parsed.ok) act.mutate({ action: 'retry', ...edited })
  }
  return (
    <form onSubmit={submit} className="grid gap-4">
      <TargetSummary target={target} />
      {draft !== undefined && text === draft && (
        <p role="status" className="rounded-md bg-info-soft px-3 py-2 text-info">
          These are your changes from before: they were not sent.
        </p>
      )}
      <JsonEditor label="Payload" value={text} onChange={change} rows={16} />
      {parsed.ok && !same && (
        <section aria-label="Your changes" className="grid max-h-60 gap-1 overflow-auto">
          <h3 className="text-xs font-semibold text-muted">Your changes</h3>
          <Difference from={JSON.parse(original)} to={parsed.value} />
        </section>
      )}
      <p className="text-muted">
        {same ? 'Not changed: the original payload is sent again.' : 'The audit keeps the difference, with your name.'}
      </p>
      <Refusal error={act.error} sent />
      <Refusal error={rehearse.error} />
      {rehearse.data && <RehearsalResult rehearsal={rehearse.data} />}
      <DialogButtons>
        <Button disabled={text === before} onClick={() => change(before)}>
          Undo changes
        </Button>
        <Button onClick={onClose}>Close</Button>
        <Button
          busy={rehearse.isPending}
          disabled={!parsed.ok}
          icon={<FlaskConical aria-hidden className="size-4" />}
          onClick={() => rehearse.mutate(edited)}
        >
          {same ? 'Rehearse' : 'Rehearse with this payload'}
        </Button>
        <Button type="submit" look="primary" busy={act.isPending} disabled={!parsed.ok || isGone(act.error)}>
          {same ? 'Retry 1 command' : 'Retry with this payload'}
        </Button>
      </DialogButtons>
    </form>
  )
}

type Value = Parameters<typeof jsonDiff>[0]

/** More would hide the buttons. */
const MOST_CHANGES = 100

const Difference = ({ from, to }: { readonly from: unknown; readonly to: unknown }) => {
  const changes = jsonDiff(from as Value, to as Value)
  return <Changes changes={changes.slice(0, MOST_CHANGES)} omitted={Math.max(0, changes.length - MOST_CHANGES)} />
}
