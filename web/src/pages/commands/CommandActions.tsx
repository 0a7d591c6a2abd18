import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Ban, CalendarClock, OctagonX } from 'lucide-react'
import { useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { api, type CommandDetail } from '../../api/client.ts'
import { usePermissions } from '../../api/session.ts'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { ActionBar } from '../troubleshooting/acting/ActionBar.tsx'
import { Refusal } from '../troubleshooting/acting/Refusal.tsx'
import { EndAttempt } from './EndAttempt.tsx'
import { Reschedule } from './Reschedule.tsx'

const CancelPending = ({ command, onClose }: { readonly command: CommandDetail; readonly onClose: () => void }) => {
  const queries = useQueryClient()
  const { domain, commandId } = command
  const cancel = useMutation({
    mutationFn: () => api.cancelCommand({ params: { domain, commandId } }),
    onSuccess: () => {
      toast.success('Canceled before work began')
      onClose()
    },
    onSettled: () => queries.invalidateQueries(),
  })
  return (
    <Dialog title="Cancel 1 command" onClose={onClose}>
      <p>
        <strong>{command.commandType}</strong> in {domain} will not run. You can cancel it until a worker starts it.
      </p>
      <Refusal error={cancel.error} />
      <DialogButtons>
        <Button onClick={onClose}>Close</Button>
        <Button look="danger" busy={cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel 1 command
        </Button>
      </DialogButtons>
    </Dialog>
  )
}

/** The actions that the state of a command and the signed-in user's token allow. */
export const CommandActions = ({ command }: { readonly command: CommandDetail }) => {
  const may = usePermissions()
  const [canceling, setCanceling] = useState(false)
  const [ending, setEnding] = useState(false)
  const [moving, setMoving] = useState(false)
  const { domain, commandId, commandType, data, status, assignee, tags } = command
  return (
    <>
      <ActionBar
        offered={status === 'IN_TROUBLESHOOTING_QUEUE'}
        target={{ kind: 'one', command: { domain, commandId, commandType, payload: data, assignee, tags } }}
      />
      {status === 'PENDING' && command.totalAttempts === 0 && may('reschedule', domain) && (
        <Button icon={<CalendarClock aria-hidden className="size-4" />} onClick={() => setMoving(true)}>
          Run now or later
        </Button>
      )}
      {status === 'PENDING' && may('send', domain) && (
        <Button data-shortcut="c" icon={<Ban aria-hidden className="size-4" />} onClick={() => setCanceling(true)}>
          Cancel
        </Button>
      )}
      {status === 'IN_PROGRESS' && may('endAttempt', domain) && (
        <Button icon={<OctagonX aria-hidden className="size-4" />} onClick={() => setEnding(true)}>
          End the attempt
        </Button>
      )}
      {moving && <Reschedule command={command} onClose={() => setMoving(false)} />}
      {ending && <EndAttempt command={command} onClose={() => setEnding(false)} />}
      {canceling && <CancelPending command={command} onClose={() => setCanceling(false)} />}
    </>
  )
}
