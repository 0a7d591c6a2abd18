import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { navigate } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { TextField } from '../../components/Field.tsx'
import { JsonEditor, parseJson } from '../../components/JsonEditor.tsx'
import { Refusal } from '../troubleshooting/acting/Refusal.tsx'

export const StartDialog = ({ onClose }: { readonly onClose: () => void }) => {
  const [type, setType] = useState('question_generation')
  const [session, setSession] = useState('')
  const [text, setText] = useState('{\n  "topic": "leases"\n}')
  const parsed = parseJson(text)
  const start = useMutation({
    mutationFn: (parameters: unknown) =>
      api.startOperation({
        body: {
          operation_type: type.trim(),
          parameters,
          ...(session.trim() === '' ? {} : { session_id: session.trim() }),
        },
      }),
    onSuccess: ({ id }) => {
      onClose()
      navigate(`/operations/${id}`)
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (parsed.ok) start.mutate(parsed.value)
  }
  return (
    <Dialog title="Start an operation" onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <label className="grid gap-1 font-medium">
          Type
          <input
            className="field font-normal"
            required
            value={type}
            list="operation-types"
            onChange={event => setType(event.target.value)}
          />
          <datalist id="operation-types">
            <option value="question_generation" />
            <option value="feedback_analysis" />
          </datalist>
        </label>
        <TextField label="Session (optional)" value={session} onChange={setSession} />
        <JsonEditor label="Parameters" value={text} onChange={setText} rows={6} />
        <Refusal error={start.error} />
        <DialogButtons>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" busy={start.isPending} disabled={!parsed.ok}>
            Start
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  )
}
