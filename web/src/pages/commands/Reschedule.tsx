import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { api, type CommandDetail } from '../../api/client.ts'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { Refusal } from '../troubleshooting/acting/Refusal.tsx'

interface RescheduleProps {
  readonly command: CommandDetail
  readonly onClose: () => void
}

/** Asks when a command that nobody has begun is to run. */
export const Reschedule = ({ command, onClose }: RescheduleProps) => {
  const queries = useQueryClient()
  const [time, setTime] = useState('')
  const { domain, commandId } = command
  const move = useMutation({
    mutationFn: (when: { readonly runAt: string } | { readonly delaySeconds: 0 }) =>
      api.rescheduleCommand({ params: { domain, commandId }, body: when }),
    onSuccess: (_, when) => {
      toast.success('runAt' in when ? 'The command was moved' : 'The command runs now')
      onClose()
    },
    onSettled: () => queries.invalidateQueries(),
  })
  const at = new Date(time)
  const isTime = !Number.isNaN(at.getTime())
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (isTime) move.mutate({ runAt: at.toISOString() })
  }
  return (
    <Dialog title="When it runs" onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <p>
          <strong>{command.commandType}</strong> in {domain} can be moved until a worker starts it.
        </p>
        <label className="grid gap-1 font-medium">
          Not before
          <input
            type="datetime-local"
            value={time}
            onChange={event => setTime(event.target.value)}
            className="field max-w-60 font-normal"
          />
        </label>
        <Refusal error={move.error} />
        <DialogButtons>
          <Button onClick={onClose}>Close</Button>
          <Button busy={move.isPending} onClick={() => move.mutate({ delaySeconds: 0 })}>
            Run now
          </Button>
          <Button type="submit" look="primary" busy={move.isPending} disabled={!isTime}>
            Change
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  )
}
