import { useMutation, useQueryClient } from '@tanstack/react-query'
import { CirclePause, CirclePlay } from 'lucide-react'
import { useState } from 'react'
import { type ActionProgress, api } from '../../../api/client.ts'
import { Button } from '../../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../../components/Dialog.tsx'
import { ReasonField } from '../../../components/ReasonField.tsx'
import { Refusal } from '../acting/Refusal.tsx'
import { isRunning } from './action-words.tsx'

interface Props {
  readonly action: ActionProgress
}

const PauseDialog = ({ action, onClose }: Props & { readonly onClose: () => void }) => {
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const pause = useMutation({
    mutationFn: () =>
      api.pauseAction({
        params: { id: action.actionId },
        body: reason.trim() === '' ? {} : { reason: reason.trim() },
      }),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries(),
  })
  return (
    <Dialog title="Pause this action" onClose={onClose}>
      <p>Nothing more is done until it is resumed. Commands that were sent again go on.</p>
      <ReasonField label="Reason" required={false} value={reason} onChange={setReason} />
      <Refusal error={pause.error} sent />
      <DialogButtons>
        <Button onClick={onClose}>Close</Button>
        <Button look="primary" busy={pause.isPending} onClick={() => pause.mutate()}>
          Pause it
        </Button>
      </DialogButtons>
    </Dialog>
  )
}

/** Pauses an action that is under way, or resumes it. */
export const PauseAction = ({ action }: Props) => {
  const queries = useQueryClient()
  const [open, setOpen] = useState(false)
  const resume = useMutation({
    mutationFn: () => api.resumeAction({ params: { id: action.actionId }, body: {} }),
    onSettled: () => queries.invalidateQueries(),
  })
  if (action.status === 'PAUSED') {
    return (
      <>
        <Refusal error={resume.error} sent />
        <Button
          look="primary"
          icon={<CirclePlay aria-hidden className="size-4" />}
          busy={resume.isPending}
          onClick={() => resume.mutate()}
        >
          Resume
        </Button>
      </>
    )
  }
  return (
    <>
      {isRunning(action) && action.waitsFor !== 'undo' && (
        <Button icon={<CirclePause aria-hidden className="size-4" />} onClick={() => setOpen(true)}>
          Pause
        </Button>
      )}
      {open && <PauseDialog action={action} onClose={() => setOpen(false)} />}
    </>
  )
}
