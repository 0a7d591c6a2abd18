import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { type Alert, api } from '../../api/client.ts'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { TextField } from '../../components/Field.tsx'
import { Refusal } from '../troubleshooting/acting/Refusal.tsx'
import { kindWords } from './words.ts'

type Kind = Alert['on'][number]
const kinds = Object.keys(kindWords) as readonly Kind[]

interface AlertDialogProps {
  /** Null: a new one. */
  readonly alert: Alert | null
  readonly onClose: () => void
}

/** Creates or changes an alert. Its secret is never shown; left empty, it stays. */
export const AlertDialog = ({ alert, onClose }: AlertDialogProps) => {
  const queries = useQueryClient()
  const [name, setName] = useState(alert?.name ?? '')
  const [url, setUrl] = useState(alert?.url ?? '')
  const [secret, setSecret] = useState('')
  const [on, setOn] = useState<readonly Kind[]>(alert?.on ?? ['groups'])
  const [from, setFrom] = useState(alert?.quiet?.from ?? '')
  const [to, setTo] = useState(alert?.quiet?.to ?? '')
  const [timeZone, setTimeZone] = useState(
    alert?.quiet?.timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone,
  )
  const [digest, setDigest] = useState(String(alert?.digestMinutes ?? ''))
  const save = useMutation({
    mutationFn: () =>
      api.setAlert({
        params: { name: name.trim() },
        body: {
          url: url.trim(),
          on: [...on],
          quiet: from === '' && to === '' ? null : { from, to, timeZone },
          digestMinutes: digest.trim() === '' ? null : Number(digest),
          ...(secret === '' ? {} : { secret }),
        },
      }),
    onSuccess: () => {
      toast.success(`Alert ${name} is saved`)
      onClose()
    },
    onSettled: () => queries.invalidateQueries(),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    save.mutate()
  }
  return (
    <Dialog title={alert === null ? 'New alert' : `Alert ${alert.name}`} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        {alert === null && (
          <TextField label="Name (required)" required value={name} onChange={setName} maxLength={100} />
        )}
        <TextField label="Address (required)" required value={url} onChange={setUrl} />
        <label className="grid gap-1 font-medium">
          {alert === null ? 'Secret that signs (required)' : 'New secret (empty: it stays)'}
          <input
            type="password"
            autoComplete="off"
            required={alert === null}
            minLength={16}
            maxLength={200}
            className="field font-normal"
            value={secret}
            onChange={event => setSecret(event.target.value)}
          />
        </label>
        <fieldset className="grid gap-1">
          <legend className="font-medium">Tells about</legend>
          {kinds.map(kind => (
            <label key={kind} className="flex items-center gap-2">
              <input
                type="checkbox"
                checked={on.includes(kind)}
                onChange={event =>
                  setOn(before => (event.target.checked ? [...before, kind] : before.filter(one => one !== kind)))
                }
              />
              {kindWords[kind]}
            </label>
          ))}
        </fieldset>
        <fieldset className="flex flex-wrap gap-3">
          <legend className="font-medium">Quiet hours (empty: none); sent afterwards</legend>
          {(
            [
              ['From', from, setFrom],
              ['To', to, setTo],
            ] as const
          ).map(([label, value, set]) => (
            <label key={label} className="grid gap-1 text-sm">
              {label}
              <input type="time" className="field" value={value} onChange={event => set(event.target.value)} />
            </label>
          ))}
          <label className="grid gap-1 text-sm">
            Time zone
            <input className="field" value={timeZone} onChange={event => setTimeZone(event.target.value)} />
          </label>
        </fieldset>
        <TextField label="Collect for so many minutes (empty: each at once)" value={digest} onChange={setDigest} />
        <Refusal error={save.error} />
        <DialogButtons>
          <Button onClick={onClose}>Close</Button>
          <Button
            type="submit"
            look="primary"
            busy={save.isPending}
            disabled={name.trim() === '' || url.trim() === '' || on.length === 0 || Number.isNaN(Number(digest))}
          >
            Save alert
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  )
}
