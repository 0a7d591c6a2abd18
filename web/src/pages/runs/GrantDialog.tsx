import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { api } from '../../api/client.ts'
import { useSessionState } from '../../api/session.ts'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { NumberField, TextField } from '../../components/Field.tsx'
import { Refusal } from '../troubleshooting/acting/Refusal.tsx'
import { credits } from './words.tsx'

interface GrantDialogProps {
  readonly tenantId: string | undefined
  readonly onClose: () => void
}

export const GrantDialog = ({ tenantId, onClose }: GrantDialogProps) => {
  const queries = useQueryClient()
  const { session } = useSessionState()
  const [pool, setPool] = useState<'monthly' | 'purchased'>('purchased')
  const [amount, setAmount] = useState(100)
  const [reason, setReason] = useState('')
  // one id for this dialog: sent twice, it is granted once. Pages that are not served securely have no `randomUUID`
  const [grantId] = useState(() => crypto.randomUUID?.())
  const grant = useMutation({
    mutationFn: () =>
      api.grantCredits({
        body: {
          pool,
          amount,
          reason: reason.trim(),
          ...(grantId === undefined ? {} : { grantId }),
          ...(session?.tenant === null && tenantId !== undefined ? { tenantId } : {}),
        },
      }),
    onSuccess: () => {
      toast.success(`Granted ${credits(amount)}`)
      onClose()
    },
    onSettled: () => queries.invalidateQueries(),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    grant.mutate()
  }
  return (
    <Dialog title={`Grant credits to ${tenantId ?? 'the tenant'}`} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <label className="grid gap-1 font-medium">
          Pool
          <select
            className="field font-normal"
            value={pool}
            onChange={event => setPool(event.target.value === 'monthly' ? 'monthly' : 'purchased')}
          >
            <option value="purchased">Purchased: valid until they are used</option>
            <option value="monthly">Monthly: this month only</option>
          </select>
        </label>
        <NumberField label="Amount" min={1} value={amount} onChange={setAmount} />
        <TextField label="Reason" required value={reason} onChange={setReason} />
        <Refusal error={grant.error} />
        <DialogButtons>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" busy={grant.isPending} disabled={reason.trim() === ''}>
            Grant {credits(Number.isNaN(amount) ? 0 : amount)}
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  )
}
