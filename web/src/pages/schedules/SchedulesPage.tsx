import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ListedSchedule } from '../../api/client.ts'
import { schedulesQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { commandPath, Link, useSearch } from '../../app/router.tsx'
import { TextFilter } from '../../components/lists/Filters.tsx'
import { PagedList } from '../../components/lists/PagedList.tsx'
import type { Column } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { Badge } from '../../components/StatusBadge.tsx'
import { Empty } from '../../components/states.tsx'
import { Ago, At } from '../../components/Time.tsx'
import { PauseDialog } from './PauseDialog.tsx'
import { ScheduleActions } from './ScheduleActions.tsx'

const facts: readonly Column<ListedSchedule>[] = [
  {
    title: 'Schedule',
    cell: ({ name, domain, commandType, tenantId, createdBy }) => (
      <>
        <span className="font-medium wrap-anywhere">{name}</span>
        <span className="block text-xs text-muted wrap-anywhere">
          {domain} · {commandType}
          {tenantId !== null && ` · ${tenantId}`}
        </span>
        <span className="hidden text-xs text-muted wrap-anywhere md:block">by {createdBy}</span>
      </>
    ),
  },
  {
    title: 'When',
    cell: ({ cron, everySeconds, timeZone }) =>
      cron === null ? (
        `every ${everySeconds} s`
      ) : (
        <>
          <code className="font-mono text-xs">{cron}</code>
          <span className="block text-xs text-muted wrap-anywhere">{timeZone}</span>
        </>
      ),
  },
  {
    title: 'Next times',
    from: 'md',
    cell: ({ next }) => (
      <ol className="text-xs">
        {next.map(at => (
          <li key={at}>
            <At at={at} />
          </li>
        ))}
      </ol>
    ),
  },
  {
    title: 'State',
    cell: ({ status, pausedBy, pauseReason }) =>
      status === 'ACTIVE' ? (
        <Badge tone="ok">Active</Badge>
      ) : (
        <>
          <Badge tone="idle">Paused</Badge>
          <span className="block text-xs text-muted wrap-anywhere">
            {pauseReason}, by {pausedBy}
          </span>
        </>
      ),
  },
  {
    title: 'Last command',
    from: 'sm',
    cell: ({ domain, lastTime, lastCommandId, lastPassedOver }) => (
      <>
        {lastCommandId === null ? (
          <span className="text-muted">none yet</span>
        ) : (
          <Link href={commandPath(domain, lastCommandId)} className="text-accent hover:underline">
            <Ago at={lastTime} />
          </Link>
        )}
        {lastPassedOver !== null && (
          <span className="block text-xs text-muted">
            passed over: <Ago at={lastPassedOver} />
          </span>
        )}
      </>
    ),
  },
]

/** The schedules, with what they send and when, and the operator's buttons. */
export const SchedulesPage = () => {
  const { get } = useSearch()
  const may = usePermissions()
  const [domain, cursor] = [get('domain'), get('cursor')]
  const [pausing, setPausing] = useState<string | null>(null)
  const schedules = useQuery(
    schedulesQuery({ ...(domain === undefined ? {} : { domain }), ...(cursor === undefined ? {} : { cursor }) }),
  )
  const actions: Column<ListedSchedule> = {
    title: 'Actions',
    quiet: true,
    cell: schedule =>
      may('operate', schedule.domain) && (
        <ScheduleActions schedule={schedule} onPause={() => setPausing(schedule.name)} />
      ),
  }
  return (
    <Page title="Schedules" intro="Commands that are sent at the times of a cron, or every so many seconds.">
      <PagedList
        query={schedules}
        names={['schedule', 'schedules']}
        csv="listSchedules"
        columns={may('operate') ? [...facts, actions] : facts}
        keyOf={({ name }) => name}
        filters={
          <div className="grid max-w-56 p-3">
            <TextFilter name="domain" label="Domain" />
          </div>
        }
        empty={<Empty title="There are no schedules: `commandbus schedules set` makes one" />}
      />
      {pausing !== null && <PauseDialog name={pausing} onClose={() => setPausing(null)} />}
    </Page>
  )
}
