import { useMutation, useQueryClient } from '@tanstack/react-query'
import { CircleStop } from 'lucide-react'
import { useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { type ActionProgress, api } from '../../../api/client.ts'
import { Button } from '../../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../../components/Dialog.tsx'
import { useNow } from '../../../components/Time.tsx'
import { Refusal } from '../acting/Refusal.tsx'
import { counted } from '../acting/target.ts'

const useStop = (action: ActionProgress, onStopped: () => void) => {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => api.stopAction({ params: { id: action.actionId }, body: {} }),
    onSuccess: ({ status, succeeded }) => {
      if (status !== 'STOPPED') toast('It was over before it could be stopped')
      else if (succeeded === 0) toast.success('Stopped: nothing was done, all stays in troubleshooting')
      else toast.success('Stopped; what was not done stays in troubleshooting')
      onStopped()
    },
    onSettled: () => queries.invalidateQueries(),
  })
}

/** Stops an action that has not begun, at once: there is no time to ask. */
const Undo = ({ action }: { readonly action: ActionProgress }) => {
  const stop = useStop(action, () => {})
  const left = Math.max(0, Math.ceil((Date.parse(action.startsAt ?? '') - useNow(500)) / 1000)) || 0
  return (
    <>
      <Refusal error={stop.error} sent />
      <Button look="primary" busy={stop.isPending} onClick={() => stop.mutate()}>
        Undo ({left} s)
      </Button>
    </>
  )
}

const StopDialog = ({ action, onClose }: { readonly action: ActionProgress; readonly onClose: () => void }) => {
  const stop = useStop(action, onClose)
  const done = action.succeeded + action.failed + action.skipped
  return (
    <Dialog title="Stop this action" onClose={onClose}>
      <p>
        {counted(done)} of {action.total} had their turn by now, and stay as they are. What is in progress now is
        finished; the rest stays in troubleshooting, counted as skipped. It cannot be resumed: start a new action for
        the rest.
      </p>
      <Refusal error={stop.error} sent />
      <DialogButtons>
        <Button onClick={onClose}>Close</Button>
        <Button look="danger" busy={stop.isPending} onClick={() => stop.mutate()}>
          Stop it
        </Button>
      </DialogButtons>
    </Dialog>
  )
}

/** Asks, then ends an action. If the action ends meanwhile, an open dialog stays open and says so. */
export const StopAction = ({ action, offered }: { readonly action: ActionProgress; readonly offered: boolean }) => {
  const [open, setOpen] = useState(false)
  if (offered && action.waitsFor === 'undo') return <Undo action={action} />
  return (
    <>
      {offered && (
        <Button icon={<CircleStop aria-hidden className="size-4" />} onClick={() => setOpen(true)}>
          Stop
        </Button>
      )}
      {open && <StopDialog action={action} onClose={() => setOpen(false)} />}
    </>
  )
}
