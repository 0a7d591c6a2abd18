import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Pause, Play, StepForward } from 'lucide-react'
import { toast } from 'react-hot-toast/headless'
import { api, type ListedSchedule } from '../../api/client.ts'
import { explain } from '../../api/problem.ts'
import { Button } from '../../components/Button.tsx'

interface ScheduleActionsProps {
  readonly schedule: ListedSchedule
  readonly onPause: () => void
}

/** Sends the command of a schedule now, or pauses and resumes it. */
export const ScheduleActions = ({ schedule: { name, status }, onPause }: ScheduleActionsProps) => {
  const queries = useQueryClient()
  const after = {
    onError: (error: unknown) => void toast.error(explain(error)),
    onSettled: () => queries.invalidateQueries(),
  }
  const run = useMutation({
    mutationFn: () => api.runSchedule({ params: { name } }),
    onSuccess: ({ commandId }) => toast.success(`Sent: command ${commandId}`),
    ...after,
  })
  const resume = useMutation({
    mutationFn: () => api.resumeSchedule({ params: { name } }),
    onSuccess: () => toast.success(`${name} goes on`),
    ...after,
  })
  return (
    <div className="flex flex-wrap justify-end gap-1">
      <Button
        data-row
        aria-label={`Run ${name} now`}
        icon={<Play aria-hidden className="size-4" />}
        busy={run.isPending}
        onClick={() => run.mutate()}
      >
        Run now
      </Button>
      {status === 'ACTIVE' ? (
        <Button
          look="quiet"
          aria-label={`Pause ${name}`}
          icon={<Pause aria-hidden className="size-4" />}
          onClick={onPause}
        >
          Pause
        </Button>
      ) : (
        <Button
          look="quiet"
          aria-label={`Resume ${name}`}
          icon={<StepForward aria-hidden className="size-4" />}
          busy={resume.isPending}
          onClick={() => resume.mutate()}
        >
          Resume
        </Button>
      )}
    </div>
  )
}
