import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { api } from '../../api/client.ts'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { TextField } from '../../components/Field.tsx'
import { ReasonField } from '../../components/ReasonField.tsx'
import { Refusal } from '../troubleshooting/acting/Refusal.tsx'

const MINUTE_MS = 60_000
const ends = [
  ['When it is resumed', 0],
  ['In 15 minutes', 15],
  ['In an hour', 60],
  ['In a day', 24 * 60],
] as const

/** Pauses a domain, or a type or a tenant in it. */
export const PauseDialog = ({ onClose }: { readonly onClose: () => void }) => {
  const queries = useQueryClient()
  const [domain, setDomain] = useState('')
  const [commandType, setCommandType] = useState('')
  const [tenantId, setTenantId] = useState('')
  const [reason, setReason] = useState('')
  const [minutes, setMinutes] = useState(0)
  const pause = useMutation({
    mutationFn: () =>
      api.pause({
        body: {
          domain: domain.trim(),
          reason: reason.trim(),
          ...(commandType.trim() === '' ? {} : { commandType: commandType.trim() }),
          ...(tenantId.trim() === '' ? {} : { tenantId: tenantId.trim() }),
          ...(minutes === 0 ? {} : { until: new Date(Date.now() + minutes * MINUTE_MS).toISOString() }),
        },
      }),
    onSuccess: () => {
      toast.success('Paused')
      onClose()
    },
    onSettled: () => queries.invalidateQueries(),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    pause.mutate()
  }
  return (
    <Dialog title="Pause commands" onClose={onClose}>
      <p>What runs goes on; nothing more is begun. Commands can still be sent, and wait.</p>
      <form onSubmit={submit} className="grid gap-4">
        <TextField label="Domain" required value={domain} onChange={setDomain} />
        <TextField label="Only this type (optional)" value={commandType} onChange={setCommandType} />
        <TextField label="Only this tenant (optional)" value={tenantId} onChange={setTenantId} />
        <label className="grid gap-1 font-medium">
          It ends
          <select
            className="field font-normal"
            value={minutes}
            onChange={event => setMinutes(Number(event.target.value))}
          >
            {ends.map(([name, value]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <ReasonField value={reason} onChange={setReason} />
        <Refusal error={pause.error} />
        <DialogButtons>
          <Button onClick={onClose}>Close</Button>
          <Button
            type="submit"
            look="primary"
            busy={pause.isPending}
            disabled={domain.trim() === '' || reason.trim() === ''}
          >
            Pause
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  )
}
