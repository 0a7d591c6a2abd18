import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { api, type CommandDetail } from '../../api/client.ts'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { ReasonField } from '../../components/ReasonField.tsx'
import { Refusal } from '../troubleshooting/acting/Refusal.tsx'

interface EndAttemptProps {
  readonly command: CommandDetail
  readonly onClose: () => void
}

/** Asks before the attempt of a running command is ended, and why. */
export const EndAttempt = ({ command, onClose }: EndAttemptProps) => {
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const { domain, commandId } = command
  const end = useMutation({
    mutationFn: () => api.endAttempt({ params: { domain, commandId }, body: { reason: reason.trim() } }),
    onSuccess: () => {
      toast.success('The attempt was ended: the command is parked')
      onClose()
    },
    onSettled: () => queries.invalidateQueries(),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (reason.trim() !== '') end.mutate()
  }
  return (
    <Dialog title="End the attempt" onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <p>
          <strong>{command.commandType}</strong> in {domain} is parked, and its worker tells the handler to stop. What
          the handler has done is not undone; what it still reports is ignored.
        </p>
        <ReasonField value={reason} onChange={setReason} />
        <Refusal error={end.error} />
        <DialogButtons>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="danger" busy={end.isPending} disabled={reason.trim() === ''}>
            End the attempt
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  )
}
