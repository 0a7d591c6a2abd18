import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { api } from '../../api/client.ts'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { ReasonField } from '../../components/ReasonField.tsx'
import { Refusal } from '../troubleshooting/acting/Refusal.tsx'

/** Asks why a schedule is paused. */
export const PauseDialog = ({ name, onClose }: { readonly name: string; readonly onClose: () => void }) => {
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const pause = useMutation({
    mutationFn: () => api.pauseSchedule({ params: { name }, body: { reason: reason.trim() } }),
    onSuccess: () => {
      toast.success(`${name} is paused`)
      onClose()
    },
    onSettled: () => queries.invalidateQueries(),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    pause.mutate()
  }
  return (
    <Dialog title={`Pause ${name}`} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <p>It sends nothing until it is resumed. Times in between are not sent later.</p>
        <ReasonField value={reason} onChange={setReason} />
        <Refusal error={pause.error} />
        <DialogButtons>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" busy={pause.isPending} disabled={reason.trim() === ''}>
            Pause it
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  )
}
