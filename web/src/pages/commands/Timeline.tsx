import type { AuditEntry } from '../../api/client.ts'
import { Json } from '../../components/Json.tsx'
import type { Tone } from '../../components/StatusBadge.tsx'
import { Empty } from '../../components/states.tsx'
import { At, duration } from '../../components/Time.tsx'
import { splitTrace, Trace } from './Trace.tsx'

const tones: Readonly<Record<string, Tone>> = {
  COMPLETED: 'ok',
  OPERATOR_COMPLETE: 'ok',
  FAILED: 'warn',
  RETRY_SCHEDULED: 'idle',
  MOVED_TO_TROUBLESHOOTING_QUEUE: 'warn',
  BUSINESS_RULE_FAILED: 'bad',
  RETRY_EXHAUSTED: 'bad',
  OPERATOR_RETRY: 'info',
  OPERATOR_END_ATTEMPT: 'warn',
  RECEIVED: 'info',
  RESCHEDULED: 'idle',
  COMMAND_EXPIRED: 'warn',
}

const dots: Readonly<Record<Tone, string>> = {
  ok: 'bg-chart-ok',
  warn: 'bg-chart-warn',
  bad: 'bg-chart-bad',
  info: 'bg-info',
  idle: 'bg-chart-sent',
}

/** The event types that a trail can be filtered by, in the order of its events. */
export const eventOptions = (items: readonly AuditEntry[]): readonly (readonly [value: string, label: string])[] =>
  [...new Set(items.map(({ eventType }) => eventType))].map(type => [type, type] as const)

/** `MOVED_TO_TROUBLESHOOTING_QUEUE` as people say it. */
export const eventWords = (type: string): string => {
  const words = type.toLowerCase().replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const isEmpty = (details: unknown): boolean =>
  details === null || (typeof details === 'object' && Object.keys(details).length === 0)

/** The build of the worker whose attempt it is, where that is known. */
const buildIn = (details: unknown): string => {
  const build = typeof details === 'object' && details !== null && 'build' in details ? details.build : undefined
  return typeof build === 'string' ? `, build ${build}` : ''
}

interface TimelineProps {
  readonly items: readonly AuditEntry[]
  /** Show only this type of event. */
  readonly only?: string | undefined
}

/** The events, with the time since the previous one, which a filter does not change. */
export const Timeline = ({ items, only }: TimelineProps) => {
  if (items.length === 0) return <Empty title="No events" />
  const timed = items.map((entry, i) => {
    const before = items[i - 1]
    // one event may have two names, like Failed and Retry scheduled
    const first = before?.revision !== entry.revision
    return { entry, first, gap: before === undefined ? null : (Date.parse(entry.ts) - Date.parse(before.ts)) / 1000 }
  })
  const shown = only === undefined ? timed : timed.filter(({ entry }) => entry.eventType === only)
  if (shown.length === 0) return <Empty title="This command has no event of this type" />
  return (
    <ol className="p-4 text-sm">
      {shown.map(({ entry, first, gap }, i) => {
        const { rest, trace } = splitTrace(entry.details)
        return (
          <li key={entry.auditId} className="relative pb-4 pl-6 last:pb-0">
            {i < shown.length - 1 && <span aria-hidden className="absolute top-3 bottom-0 left-[4.5px] w-px bg-line" />}
            <span
              aria-hidden
              className={`absolute top-1.5 left-0 size-2.5 rounded-full ${dots[tones[entry.eventType] ?? 'idle']}`}
            />
            <div className="flex flex-wrap items-baseline gap-x-3">
              <strong className="font-medium">{eventWords(entry.eventType)}</strong>
              <span className="text-xs text-muted">
                <At at={entry.ts} />
                {first && gap !== null && gap >= 0 && ` · after ${duration(gap)}`} · by {entry.actor}
                {first && buildIn(entry.details)}
                {first && ` · event ${entry.revision + 1}`}
              </span>
            </div>
            {!isEmpty(rest) && (
              <details className="mt-1">
                <summary className="text-xs text-muted">Details</summary>
                <div className="mt-1">
                  <Json value={rest} label={`Details of ${entry.eventType}`} />
                </div>
              </details>
            )}
            {trace !== null && (
              <details className="mt-1">
                <summary className="text-xs text-muted">Stack and causes</summary>
                <div className="mt-1">
                  <Trace text={trace} />
                </div>
              </details>
            )}
          </li>
        )
      })}
    </ol>
  )
}
