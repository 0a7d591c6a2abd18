import type { Action } from '../../../api/client.ts'
import { Link } from '../../../app/router.tsx'
import { counted } from '../acting/target.ts'
import { actionLooks, type Became, waitText } from './action-words.tsx'

interface Part {
  readonly name: string
  readonly label: string
  readonly colour: string
  readonly count: number
  /** The items that it counts. */
  readonly filter: string
}

const of = (became: Became): string => `became=${became}`

/** Of a retry: what was sent again is shown by what became of it. */
const partsOf = ({ succeeded, failed, skipped, became, action }: Action): readonly Part[] => [
  ...(became === undefined
    ? [{ name: 'done', label: 'done', colour: 'bg-chart-ok', count: succeeded, filter: 'outcome=SUCCEEDED' }]
    : [
        {
          name: 'completed',
          label: 'completed',
          colour: 'bg-chart-ok',
          count: became.completed,
          filter: of('COMPLETED'),
        },
        {
          name: 'parkedAgain',
          label: 'parked again',
          colour: 'bg-chart-bad',
          count: became.parkedAgain,
          filter: of('IN_TROUBLESHOOTING_QUEUE'),
        },
        {
          name: 'failedAgain',
          label: 'failed again',
          colour: 'bg-chart-bad',
          count: became.failed,
          filter: of('FAILED'),
        },
        {
          name: 'canceled',
          label: 'canceled',
          colour: 'bg-chart-sent',
          count: became.canceled,
          filter: of('CANCELED'),
        },
        { name: 'running', label: 'running', colour: 'bg-accent-fill', count: became.running, filter: of('RUNNING') },
      ].filter(({ name, count }) => count > 0 || !['failedAgain', 'canceled'].includes(name))),
  {
    name: 'failed',
    label: action === 'retry' ? 'could not be sent' : 'failed',
    colour: 'bg-chart-bad',
    count: failed,
    filter: 'outcome=FAILED',
  },
  { name: 'skipped', label: 'skipped', colour: 'bg-chart-sent', count: skipped, filter: 'outcome=SKIPPED' },
]

export const Progress = ({ action }: { readonly action: Action }) => {
  const { succeeded, total, actionId, became, stageTargets } = action
  const done = succeeded + action.failed + action.skipped
  const share = (count: number): string => `${total === 0 ? 0 : (100 * count) / total}%`
  const parts = partsOf(action)
  const waits = waitText(action)
  return (
    <div className="grid gap-3 p-4">
      <p className="flex flex-wrap justify-between gap-2 text-sm">
        <strong data-testid="action-status" data-status={action.status} role="status">
          {actionLooks[action.status].label}
          {waits !== '' && `. ${waits}`}
        </strong>
        <span className="tabular-nums">
          {done} of {counted(total)}
          {action.canary !== null && `, canary of ${action.canary}`}
          {action.canary === null &&
            stageTargets.length > 1 &&
            `, stage ${Math.min(action.stage, stageTargets.length)} of ${stageTargets.length}`}
        </span>
      </p>
      <div
        role="progressbar"
        aria-label="Progress"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
        className="relative flex h-3 overflow-hidden rounded-full bg-raised"
      >
        {parts.map(({ name, colour, count }) => (
          <span key={name} className={`${colour} transition-[width]`} style={{ width: share(count) }} />
        ))}
        {stageTargets
          .filter(target => target < total)
          .map(target => (
            <span
              key={target}
              title="End of a stage"
              className="absolute inset-y-0 w-0.5 bg-ink"
              style={{ left: share(target) }}
            />
          ))}
      </div>
      <ul className="flex flex-wrap gap-x-5 gap-y-1 text-sm">
        {became !== undefined && (
          <li>
            <span data-testid="action-succeeded" className="font-medium tabular-nums">
              {succeeded}
            </span>{' '}
            sent again:
          </li>
        )}
        {parts.map(({ name, label, colour, count, filter }) => (
          <li key={name} className="flex items-center gap-1.5">
            <span aria-hidden className={`size-2.5 rounded-sm ${colour}`} />
            <Link href={`/troubleshooting/actions/${actionId}?${filter}`} className="hover:underline">
              <span data-testid={`action-${name === 'done' ? 'succeeded' : name}`} className="font-medium tabular-nums">
                {count}
              </span>{' '}
              {label}
            </Link>
          </li>
        ))}
      </ul>
    </div>
  )
}
