import { useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import type { LedgerEntry } from '../../api/client.ts'
import { creditsQuery } from '../../api/queries.ts'
import { usePermissions, useSessionState } from '../../api/session.ts'
import { Link, useSearch } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { TextFilter } from '../../components/lists/Filters.tsx'
import { Pager } from '../../components/lists/Pager.tsx'
import { type Column, Table } from '../../components/lists/Table.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { Badge, type Tone } from '../../components/StatusBadge.tsx'
import { Answered, Empty } from '../../components/states.tsx'
import { At } from '../../components/Time.tsx'
import { GrantDialog } from './GrantDialog.tsx'

const kinds: Readonly<
  Record<LedgerEntry['kind'], { readonly label: string; readonly tone: Tone; readonly sign: string }>
> = {
  GRANT: { label: 'Grant', tone: 'ok', sign: '+' },
  CHARGE: { label: 'Charge', tone: 'idle', sign: '−' },
  REFUND: { label: 'Refund', tone: 'info', sign: '+' },
}

const amount = (sign: string, value: number): string => (value === 0 ? '–' : `${sign}${Math.abs(value)}`)

const columns: readonly Column<LedgerEntry>[] = [
  { title: 'When', cell: ({ at }) => <At at={at} /> },
  {
    title: 'What',
    cell: ({ kind, reason, actor, runId }) => (
      <>
        <Badge tone={kinds[kind].tone}>{kinds[kind].label}</Badge>{' '}
        {runId !== null && (
          <Link href={`/runs/${runId}`} className="text-accent underline">
            run
          </Link>
        )}
        <span className="block text-xs text-muted wrap-anywhere">
          {reason !== null && `${reason}, `}by {actor}
        </span>
      </>
    ),
  },
  { title: 'Monthly', numeric: true, cell: ({ kind, monthly }) => amount(kinds[kind].sign, monthly) },
  { title: 'Purchased', numeric: true, cell: ({ kind, purchased }) => amount(kinds[kind].sign, purchased) },
  {
    title: 'Balance after',
    numeric: true,
    from: 'sm',
    cell: ({ monthlyLeft, purchasedLeft }) => `${monthlyLeft} + ${purchasedLeft}`,
  },
]

export const CreditsPage = () => {
  const { get } = useSearch()
  const { session } = useSessionState()
  const may = usePermissions()
  const [granting, setGranting] = useState(false)
  const [tenantId, cursor] = [get('tenantId'), get('cursor')]
  const credits = useQuery(
    creditsQuery({
      ...(tenantId === undefined ? {} : { tenantId }),
      ...(cursor === undefined ? {} : { cursor }),
    }),
  )
  const isLoading = credits.isPlaceholderData
  return (
    <Page
      title="Credits"
      intro="Monthly credits are used first, then purchased ones. Every change is an entry that is never altered."
      aside={
        may('grant') && (
          <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => setGranting(true)}>
            Grant credits
          </Button>
        )
      }
    >
      {session?.tenant === null && (
        <div className="max-w-56">
          <TextFilter name="tenantId" label="Tenant" />
        </div>
      )}
      <Answered query={credits} what="credits">
        {({ tenantId, monthly, purchased, month, ledger, nextCursor }) => (
          <>
            <ul aria-label={`Balance of ${tenantId}`} className="grid grid-cols-2 gap-2 sm:max-w-md">
              {(
                [
                  [`Monthly, ${month}`, monthly],
                  ['Purchased', purchased],
                ] as const
              ).map(([name, value]) => (
                <li key={name} className="card px-4 py-3">
                  <span className="block text-2xl font-semibold tabular-nums">{value}</span>
                  <span className="text-xs text-muted">{name}</span>
                </li>
              ))}
            </ul>
            <Section title={`Ledger of ${tenantId}`}>
              {ledger.length === 0 ? (
                <Empty title="Nothing was granted or charged yet" />
              ) : (
                <Table
                  label="Ledger"
                  columns={columns}
                  rows={ledger}
                  keyOf={({ revision }) => String(revision)}
                  loading={isLoading}
                />
              )}
              <Pager
                nextCursor={nextCursor}
                summary={`${ledger.length} ${ledger.length === 1 ? 'entry' : 'entries'} on this page, newest first`}
              />
            </Section>
          </>
        )}
      </Answered>
      {granting && <GrantDialog tenantId={tenantId ?? credits.data?.tenantId} onClose={() => setGranting(false)} />}
    </Page>
  )
}
