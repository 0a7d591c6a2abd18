import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { api, type ParkedGroup } from '../../../api/client.ts'
import { causeQuery } from '../../../api/queries.ts'
import { Button } from '../../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../../components/Dialog.tsx'
import { TextField } from '../../../components/Field.tsx'
import { ReasonField } from '../../../components/ReasonField.tsx'
import { At } from '../../../components/Time.tsx'
import { PersonField, tagsIn } from '../acting/OptionField.tsx'
import { Refusal } from '../acting/Refusal.tsx'

/** What an input of local time shows. */
const localOf = (instant: string | null): string => {
  if (instant === null) return ''
  const at = new Date(instant)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

/** Writes about a cause: who takes care of it, tags, a note, and until when it is under investigation. */
export const CauseDialog = ({ group, onClose }: { readonly group: ParkedGroup; readonly onClose: () => void }) => {
  const { domain, commandType, errorCode, care } = group
  const key = { domain, commandType, errorCode }
  const queries = useQueryClient()
  const written = useQuery(causeQuery(key))
  const before = {
    assignee: care?.assignee ?? '',
    tags: care?.tags.join(', ') ?? '',
    until: localOf(care?.investigatedUntil ?? null),
  }
  const [assignee, setAssignee] = useState(before.assignee)
  const [tags, setTags] = useState(before.tags)
  const [until, setUntil] = useState(before.until)
  const [text, setText] = useState('')
  const save = useMutation({
    mutationFn: async () => {
      if (assignee.trim() !== before.assignee)
        await api.assignCause({ body: { ...key, assignee: assignee.trim() === '' ? null : assignee.trim() } })
      if (tags !== before.tags) await api.tagCause({ body: { ...key, tags: [...tagsIn(tags)] } })
      if (until !== before.until)
        await api.investigateCause({ body: { ...key, until: until === '' ? null : new Date(until).toISOString() } })
      if (text.trim() !== '') await api.noteCause({ body: { ...key, text: text.trim() } })
    },
    onSuccess: () => {
      toast.success('Saved')
      onClose()
    },
    onSettled: () => queries.invalidateQueries(),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    save.mutate()
  }
  return (
    <Dialog title={errorCode || 'No error code'} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <p className="text-muted wrap-anywhere">
          {commandType} in {domain}. Other operators see this at the cause; no command and no sender is affected.
        </p>
        <PersonField label="Assignee (empty: nobody)" value={assignee} onChange={setAssignee} />
        <TextField label="Tags, with commas between them" value={tags} onChange={setTags} />
        <div className="grid gap-1">
          <label className="grid gap-1 font-medium">
            Under investigation until (empty: it is not)
            <input
              type="datetime-local"
              value={until}
              onChange={event => setUntil(event.target.value)}
              className="field max-w-60 font-normal"
            />
          </label>
          <span className="text-xs text-muted">
            Until then its commands leave counts and alerts, but not the lists.
          </span>
        </div>
        <ReasonField label="New note" required={false} maxLength={2_000} value={text} onChange={setText} />
        {(written.data?.notes.length ?? 0) > 0 && (
          <ol aria-label="Notes" className="grid max-h-48 gap-2 overflow-auto text-sm">
            {written.data?.notes.map(note => (
              <li key={`${note.at} ${note.text}`}>
                <p className="whitespace-pre-wrap wrap-anywhere">{note.text}</p>
                <p className="text-xs text-muted">
                  {note.operator}, <At at={note.at} />
                </p>
              </li>
            ))}
          </ol>
        )}
        <Refusal error={save.error} />
        <DialogButtons>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" busy={save.isPending}>
            Save
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  )
}
