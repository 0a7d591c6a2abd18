import type { Run } from '../../api/client.ts'
import { files } from './words.tsx'

const parts = [
  ['completed', 'bg-chart-ok'],
  ['failed', 'bg-chart-warn'],
  ['error', 'bg-chart-bad'],
  ['processing', 'bg-info'],
  ['pending', 'bg-chart-sent'],
] as const

/** All files of the run by status, whatever the round. */
export const RunProgress = ({ run }: { readonly run: Run }) => {
  const total = run.perFileResults.length
  const counts = parts.map(([status, colour]) => ({
    status,
    colour,
    count: run.perFileResults.filter(file => file.status === status).length,
  }))
  const over = counts.filter(({ status }) => status !== 'processing' && status !== 'pending')
  const done = over.reduce((sum, { count }) => sum + count, 0)
  return (
    <div className="grid gap-3 p-4 text-sm">
      <p className="flex flex-wrap justify-between gap-2">
        <span>
          {done} of {files(total)} finished
        </span>
        <span className="text-muted">
          {run.round > 1 ? `round ${run.round}, ${files(run.roundJobs)} in it` : 'first round'}
        </span>
      </p>
      <div
        role="progressbar"
        aria-label="Progress of the run"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
        className="flex h-3 overflow-hidden rounded-full bg-raised"
      >
        {counts
          .filter(({ status }) => status !== 'pending')
          .map(({ status, colour, count }) => (
            <span
              key={status}
              className={`${colour} transition-[width]`}
              style={{ width: `${(100 * count) / total}%` }}
            />
          ))}
      </div>
      <ul className="flex flex-wrap gap-x-5 gap-y-1">
        {counts.map(({ status, colour, count }) => (
          <li key={status} className="flex items-center gap-1.5">
            <span aria-hidden className={`size-2.5 rounded-sm ${colour}`} />
            <span data-testid={`files-${status}`} className="font-medium tabular-nums">
              {count}
            </span>
            {status}
          </li>
        ))}
      </ul>
    </div>
  )
}
