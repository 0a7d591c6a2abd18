import { useMutation, useQueryClient } from '@tanstack/react-query'
import { BellRing, PencilLine, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { type Alert, api } from '../../api/client.ts'
import { explain } from '../../api/problem.ts'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { Refusal } from '../troubleshooting/acting/Refusal.tsx'

interface AlertActionsProps {
  readonly alert: Alert
  readonly onEdit: () => void
}

/** Sends a test, changes an alert, or deletes it. */
export const AlertActions = ({ alert: { name, waiting }, onEdit }: AlertActionsProps) => {
  const queries = useQueryClient()
  const [deleting, setDeleting] = useState(false)
  const onSettled = () => queries.invalidateQueries()
  const test = useMutation({
    mutationFn: () => api.testAlert({ params: { name } }),
    onSuccess: ({ sent, error }) =>
      sent ? toast.success('The receiver accepted the test') : toast.error(`The test was not accepted: ${error}`),
    onError: error => void toast.error(explain(error)),
    onSettled,
  })
  const remove = useMutation({
    mutationFn: () => api.deleteAlert({ params: { name } }),
    onSuccess: () => {
      toast.success(`Alert ${name} is deleted`)
      setDeleting(false)
    },
    onSettled,
  })
  return (
    <div className="flex flex-wrap justify-end gap-1">
      <Button
        aria-label={`Test ${name}`}
        icon={<BellRing aria-hidden className="size-4" />}
        busy={test.isPending}
        onClick={() => test.mutate()}
      >
        Test
      </Button>
      <Button
        look="quiet"
        aria-label={`Change ${name}`}
        icon={<PencilLine aria-hidden className="size-4" />}
        onClick={onEdit}
      >
        Change
      </Button>
      <Button
        look="quiet"
        aria-label={`Delete ${name}`}
        icon={<Trash2 aria-hidden className="size-4" />}
        onClick={() => setDeleting(true)}
      >
        Delete
      </Button>
      {deleting && (
        <Dialog title={`Delete ${name}`} onClose={() => setDeleting(false)}>
          <p>It tells nothing more.{waiting > 0 && ` ${waiting} that wait for their next attempt are given up.`}</p>
          <Refusal error={remove.error} />
          <DialogButtons>
            <Button onClick={() => setDeleting(false)}>Close</Button>
            <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
              Delete alert
            </Button>
          </DialogButtons>
        </Dialog>
      )}
    </div>
  )
}
