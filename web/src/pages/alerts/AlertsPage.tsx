import { useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import type { Alert } from '../../api/client.ts'
import { alertsQuery } from '../../api/queries.ts'
import { Link } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { type Column, Table } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { Badge } from '../../components/StatusBadge.tsx'
import { Answered, Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { AlertActions } from './AlertActions.tsx'
import { AlertDialog } from './AlertDialog.tsx'
import { kindWords } from './words.ts'

const facts: readonly Column<Alert>[] = [
  {
    title: 'Alert',
    cell: ({ name, url, setBy }) => (
      <>
        <Link href={`/alerts/${encodeURIComponent(name)}`} data-row className="font-medium text-accent hover:underline">
          {name}
        </Link>
        <span className="block text-xs text-muted wrap-anywhere">{new URL(url).host}</span>
        <span className="hidden text-xs text-muted wrap-anywhere md:block">set by {setBy}</span>
      </>
    ),
  },
  {
    title: 'About',
    cell: ({ on, quiet, digestMinutes }) => (
      <>
        {on.map(kind => kindWords[kind]).join(', ')}
        {quiet !== null && (
          <span className="block text-xs text-muted">
            quiet {quiet.from} to {quiet.to}, {quiet.timeZone}
          </span>
        )}
        {digestMinutes !== null && <span className="block text-xs text-muted">one webhook in {digestMinutes} min</span>}
      </>
    ),
  },
  {
    title: 'Last sent',
    cell: ({ lastSentAt }) =>
      lastSentAt === null ? <span className="text-muted">never</span> : <Ago at={lastSentAt} />,
  },
  {
    title: 'State',
    cell: ({ waiting, givenUp, lastError }) => (
      <>
        {waiting > 0 ? (
          <Badge tone="warn">{`${waiting} waiting`}</Badge>
        ) : givenUp > 0 ? (
          <Badge tone="bad">{`${givenUp} given up`}</Badge>
        ) : (
          <Badge tone="ok">Nothing waits</Badge>
        )}
        {lastError !== null && <span className="block text-xs text-muted wrap-anywhere">{lastError}</span>}
      </>
    ),
  },
]

/** Which webhooks tell that something is wrong, and whether they arrive. */
export const AlertsPage = () => {
  const alerts = useQuery(alertsQuery())
  const [editing, setEditing] = useState<Alert | 'new' | null>(null)
  const actions: Column<Alert> = {
    title: 'Actions',
    quiet: true,
    cell: alert => <AlertActions alert={alert} onEdit={() => setEditing(alert)} />,
  }
  return (
    <Page
      title="Alerts"
      intro="Webhooks that tell when commands fail for a new cause, or when replies are late: once for each, signed, and tried again."
      aside={
        <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => setEditing('new')}>
          New alert
        </Button>
      }
    >
      <div className="card overflow-hidden">
        <Answered query={alerts} what="alerts">
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="There are no alerts">
                <p>Nobody is told when something fails, unless a monitoring system reads the metrics.</p>
              </Empty>
            ) : (
              <Table label="Alerts" rows={items} columns={[...facts, actions]} keyOf={({ name }) => name} />
            )
          }
        </Answered>
      </div>
      {editing !== null && <AlertDialog alert={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />}
    </Page>
  )
}
