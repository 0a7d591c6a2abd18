import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { api, type ListedLane } from '../../api/client.ts'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { NumberField, TextField } from '../../components/Field.tsx'
import { Refusal } from '../troubleshooting/acting/Refusal.tsx'

/** Changes width and rate of a lane, and what a parked command does to it. */
export const LaneDialog = ({ lane: of, onClose }: { readonly lane: ListedLane; readonly onClose: () => void }) => {
  const { domain, lane } = of
  const queries = useQueryClient()
  const [width, setWidth] = useState(of.width ?? 1)
  const [rate, setRate] = useState(of.ratePerSecond === null ? '' : String(of.ratePerSecond))
  const [onPark, setOnPark] = useState(of.onPark)
  const ratePerSecond = rate.trim() === '' ? null : Number(rate)
  const change = useMutation({
    mutationFn: () => api.setLane({ params: { domain, lane }, body: { width, ratePerSecond, onPark } }),
    onSuccess: () => {
      toast.success(`Lane ${lane} is changed`)
      onClose()
    },
    onSettled: () => queries.invalidateQueries(),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    change.mutate()
  }
  const isWrong = Number.isNaN(width) || Number.isNaN(ratePerSecond)
  return (
    <Dialog title={`Lane ${lane}`} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <p>Of domain {domain}. The change counts at once, also for commands that wait.</p>
        <NumberField label="Width: commands at once" min={1} max={1_000} value={width} onChange={setWidth} />
        <TextField label="Rate: begun within a second (empty: no limit)" value={rate} onChange={setRate} />
        <label className="grid gap-1 font-medium">
          When a command is parked
          <select
            className="field font-normal"
            value={onPark}
            onChange={event => setOnPark(event.target.value === 'pass' ? 'pass' : 'hold')}
          >
            <option value="hold">Hold: the lane waits until an operator decides</option>
            <option value="pass">Pass: the next one runs</option>
          </select>
        </label>
        <Refusal error={change.error} />
        <DialogButtons>
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" busy={change.isPending} disabled={isWrong}>
            Change lane
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  )
}
