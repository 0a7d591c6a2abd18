import type { Attempt } from '../../api/client.ts'
import { type Column, Table } from '../../components/lists/Table.tsx'
import { Badge, type Tone } from '../../components/StatusBadge.tsx'
import { Empty } from '../../components/states.tsx'
import { At, duration } from '../../components/Time.tsx'
import { Trace, traceOf } from './Trace.tsx'

const outcomes: Readonly<Record<Attempt['outcome'], readonly [text: string, tone: Tone]>> = {
  RUNNING: ['Running', 'info'],
  COMPLETED: ['Completed', 'ok'],
  FAILED: ['Failed, tried again', 'warn'],
  HANDED_BACK: ['Handed back by its worker', 'idle'],
  PARKED: ['Failed, parked', 'warn'],
  REJECTED: ['Rejected by a business rule', 'bad'],
  EXHAUSTED: ['Failed, attempts exhausted', 'bad'],
  LOST: ['Lost with its worker', 'bad'],
  ENDED: ['Ended by an operator', 'warn'],
}

const seconds = (ms: number | null): string => (ms === null ? '–' : duration(ms / 1_000))

const Failure = ({ error }: { readonly error: NonNullable<Attempt['error']> }) => {
  const trace = traceOf(error.stack, error.causes)
  return (
    <div className="grid min-w-48 gap-1">
      <span className="wrap-anywhere">
        <strong className="font-medium">{error.code}</strong>: {error.message}
      </span>
      {error.frame !== undefined && <code className="text-xs text-muted wrap-anywhere">{error.frame}</code>}
      {trace !== null && (
        <details>
          <summary className="text-xs text-muted">Stack and causes</summary>
          <div className="mt-1 max-w-[70vw] xl:max-w-md">
            <Trace text={trace} />
          </div>
        </details>
      )}
    </div>
  )
}

const keyOf = ({ round, attempt, startedAt }: Attempt): string => `${round}.${attempt} ${startedAt}`

/** One row for each attempt, oldest first: when it was due, how long it waited and ran, who ran it, and how it ended. */
export const Attempts = ({ items }: { readonly items: readonly Attempt[] }) => {
  if (items.length === 0) return <Empty title="No attempts yet" />
  const rounds = items.at(-1)?.round ?? 1
  const columns: readonly Column<Attempt>[] = [
    { title: 'No.', cell: ({ round, attempt }) => (rounds > 1 ? `${round}.${attempt}` : attempt) },
    { title: 'Due', from: 'xl', cell: ({ dueAt }) => <At at={dueAt} /> },
    { title: 'Started', cell: ({ startedAt }) => (startedAt === null ? '–' : <At at={startedAt} />) },
    { title: 'Waited', numeric: true, from: 'md', cell: ({ waitedMs }) => seconds(waitedMs) },
    { title: 'Ran', numeric: true, cell: ({ ranMs }) => seconds(ranMs) },
    {
      title: 'Outcome',
      cell: ({ outcome, error }) => (
        <div className="grid justify-items-start gap-1">
          <Badge tone={outcomes[outcome][1]}>{outcomes[outcome][0]}</Badge>
          {error !== null && <Failure error={error} />}
        </div>
      ),
    },
    {
      title: 'Worker',
      from: 'sm',
      cell: ({ worker, build }) => (
        <span className="wrap-anywhere">
          {worker ?? 'not known'}
          {build !== null && <span className="block text-xs text-muted">build {build}</span>}
        </span>
      ),
    },
  ]
  return <Table label="Attempts" rows={items} keyOf={keyOf} columns={columns} />
}
