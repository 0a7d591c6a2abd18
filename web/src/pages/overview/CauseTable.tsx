import { useState } from 'react'
import type { Cause } from '../../api/client.ts'
import { Link } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { Sparkline } from '../../components/charts/Sparkline.tsx'
import { numberText } from '../../components/charts/words.ts'
import { type Column, Table } from '../../components/lists/Table.tsx'
import { Badge } from '../../components/StatusBadge.tsx'
import { Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'

const MOST_SHOWN = 8

const linkTo = (
  path: string,
  { domain, commandType, errorCode }: Cause,
  more: Readonly<Record<string, string>>,
): string =>
  `${path}?${new URLSearchParams({ ...more, domain, commandType, ...(errorCode === '' ? {} : { errorCode }) })}`
const toParked = (cause: Cause): string => linkTo('/troubleshooting', cause, { view: 'list' })
const toFailed = (cause: Cause): string => linkTo('/commands', cause, { status: 'FAILED' })

const more = (count: number) => (count === 0 ? <span className="text-muted">–</span> : `+${numberText(count)}`)

const columns: readonly Column<Cause>[] = [
  {
    title: 'Error',
    cell: cause => (
      <>
        <Link
          href={cause.parked > 0 || cause.failed === 0 ? toParked(cause) : toFailed(cause)}
          className="font-medium text-accent wrap-anywhere hover:underline"
        >
          {cause.errorCode || 'No error code'}
        </Link>{' '}
        {cause.isNew && <Badge tone="bad">new</Badge>}
        <span className="block text-xs text-muted wrap-anywhere">
          {cause.domain} ·{' '}
          <Link
            href={`/types/${encodeURIComponent(cause.domain)}/${encodeURIComponent(cause.commandType)}`}
            className="hover:underline"
          >
            {cause.commandType}
          </Link>
        </span>
        {cause.sample !== null && <span className="line-clamp-1 text-xs text-muted wrap-anywhere">{cause.sample}</span>}
      </>
    ),
  },
  {
    title: 'Parked',
    numeric: true,
    cell: cause =>
      cause.parked === 0 ? (
        <span className="text-muted">–</span>
      ) : (
        <Link href={toParked(cause)} className="text-warn underline">
          {numberText(cause.parked)}
        </Link>
      ),
  },
  {
    title: 'Failed, 7 d',
    numeric: true,
    from: 'sm',
    cell: cause =>
      cause.failed === 0 ? (
        <span className="text-muted">–</span>
      ) : (
        <Link href={toFailed(cause)} className="text-bad underline">
          {numberText(cause.failed)}
        </Link>
      ),
  },
  { title: '15 min', numeric: true, cell: ({ last15m }) => more(last15m) },
  { title: '1 h', numeric: true, from: 'sm', cell: ({ last1h }) => more(last1h) },
  {
    title: 'Last hour',
    from: 'md',
    cell: ({ series }) => <Sparkline values={series} label="Failures in the last hour by 5 minutes" />,
  },
  { title: 'First', from: 'md', cell: ({ first }) => <Ago at={first} /> },
  { title: 'Last', from: 'sm', cell: ({ last }) => <Ago at={last} /> },
]

/** Why commands fail, those that fail now first; more of them on request. */
export const CauseTable = ({
  causes,
  total = causes.length,
}: {
  readonly causes: readonly Cause[]
  readonly total?: number
}) => {
  const [all, setAll] = useState(false)
  if (causes.length === 0) return <Empty title="No failures" />
  const shown = all ? causes : causes.slice(0, MOST_SHOWN)
  return (
    <>
      <Table
        label="Causes"
        rows={shown}
        keyOf={({ domain, commandType, errorCode }) => `${domain}/${commandType}/${errorCode}`}
        columns={columns}
      />
      {shown.length < total && (
        <div className="flex flex-wrap items-center gap-2 border-t border-line px-4 py-2 text-sm">
          {all ? (
            <span className="text-muted">{numberText(total - shown.length)} more are not shown</span>
          ) : (
            <Button look="quiet" onClick={() => setAll(true)}>
              {numberText(total - shown.length)} more
            </Button>
          )}
          <Link href="/troubleshooting" className="text-accent underline">
            All parked by cause
          </Link>
        </div>
      )}
    </>
  )
}
