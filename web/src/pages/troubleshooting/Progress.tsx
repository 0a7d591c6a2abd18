import type { Action } from '../../api/client.ts'
import { counted } from './acting/target.ts'

const words: Readonly<Record<Action['status'], string>> = {
  RUNNING: 'Under way',
  WAITING_FOR_CANARY: 'Waiting for the canary to complete',
  COMPLETED: 'Finished',
  CANARY_FAILED: 'Ended after the canary',
  STOPPED: 'Stopped',
}

const parts = [
  ['succeeded', 'done', 'bg-chart-ok'],
  ['failed', 'failed', 'bg-chart-bad'],
  ['skipped', 'skipped', 'bg-chart-sent'],
] as const

export const Progress = ({ action }: { readonly action: Action }) => {
  const done = action.succeeded + action.failed + action.skipped
  const share = (count: number): string => `${action.total === 0 ? 0 : (100 * count) / action.total}%`
  return (
    <div className="grid gap-3 p-4">
      <p className="flex flex-wrap justify-between gap-2 text-sm">
        <strong data-testid="action-status" data-status={action.status} role="status">
          {words[action.status]}
        </strong>
        <span className="tabular-nums">
          {done} of {counted(action.total)}
          {action.canary !== null && `, canary of ${action.canary}`}
        </span>
      </p>
      <div
        role="progressbar"
        aria-label="Progress"
        aria-valuemin={0}
        aria-valuemax={action.total}
        aria-valuenow={done}
        className="relative flex h-3 overflow-hidden rounded-full bg-raised"
      >
        {parts.map(([name, , colour]) => (
          <span key={name} className={`${colour} transition-[width]`} style={{ width: share(action[name]) }} />
        ))}
        {action.canary !== null && action.total > 0 && (
          <span
            title="End of the canary"
            className="absolute inset-y-0 w-0.5 bg-ink"
            style={{ left: share(action.canary) }}
          />
        )}
      </div>
      <ul className="flex flex-wrap gap-x-5 gap-y-1 text-sm">
        {parts.map(([name, label, colour]) => (
          <li key={name} className="flex items-center gap-1.5">
            <span aria-hidden className={`size-2.5 rounded-sm ${colour}`} />
            <span data-testid={`action-${name}`} className="font-medium tabular-nums">
              {action[name]}
            </span>
            {label}
          </li>
        ))}
      </ul>
    </div>
  )
}
