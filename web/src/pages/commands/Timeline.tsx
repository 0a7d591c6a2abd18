import type { AuditEntry } from '../../api/client.ts'
import { Json } from '../../components/Json.tsx'
import type { Tone } from '../../components/StatusBadge.tsx'
import { Empty } from '../../components/states.tsx'
import { At, duration } from '../../components/Time.tsx'

const tones: Readonly<Record<string, Tone>> = {
  COMPLETED: 'ok',
  OPERATOR_COMPLETE: 'ok',
  FAILED: 'warn',
  RETRY_SCHEDULED: 'idle',
  MOVED_TO_TROUBLESHOOTING_QUEUE: 'warn',
  BUSINESS_RULE_FAILED: 'bad',
  RETRY_EXHAUSTED: 'bad',
  OPERATOR_RETRY: 'info',
  RECEIVED: 'info',
}

const dots: Readonly<Record<Tone, string>> = {
  ok: 'bg-chart-ok',
  warn: 'bg-chart-warn',
  bad: 'bg-chart-bad',
  info: 'bg-info',
  idle: 'bg-chart-sent',
}

/** `MOVED_TO_TROUBLESHOOTING_QUEUE` as people say it. */
export const eventWords = (type: string): string => {
  const words = type.toLowerCase().replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const isEmpty = (details: unknown): boolean =>
  details === null || (typeof details === 'object' && Object.keys(details).length === 0)

/** What happened, with the time between two events. */
export const Timeline = ({ items }: { readonly items: readonly AuditEntry[] }) => {
  if (items.length === 0) return <Empty title="Nothing is recorded" />
  return (
    <ol className="p-4 text-sm">
      {items.map((entry, i) => {
        const before = items[i - 1]
        const gap = before === undefined ? null : (Date.parse(entry.ts) - Date.parse(before.ts)) / 1000
        return (
          <li key={entry.auditId} className="relative pb-4 pl-6 last:pb-0">
            {i < items.length - 1 && <span aria-hidden className="absolute top-3 bottom-0 left-[4.5px] w-px bg-line" />}
            <span
              aria-hidden
              className={`absolute top-1.5 left-0 size-2.5 rounded-full ${dots[tones[entry.eventType] ?? 'idle']}`}
            />
            <div className="flex flex-wrap items-baseline gap-x-3">
              <strong className="font-medium">{eventWords(entry.eventType)}</strong>
              <span className="text-xs text-muted">
                <At at={entry.ts} />
                {gap !== null && gap >= 0 && ` · after ${duration(gap)}`} · by {entry.actor} · revision {entry.revision}
              </span>
            </div>
            {!isEmpty(entry.details) && (
              <details className="mt-1">
                <summary className="text-xs text-muted">Details</summary>
                <div className="mt-1">
                  <Json value={entry.details} label={`Details of ${entry.eventType}`} />
                </div>
              </details>
            )}
          </li>
        )
      })}
    </ol>
  )
}
