import { useQuery } from '@tanstack/react-query'
import { statsQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { Link } from '../../app/router.tsx'
import { FilterBar, SelectFilter, TextFilter, TimeFilter } from '../../components/lists/Filters.tsx'
import { useView, Views } from '../../components/lists/Views.tsx'
import { Page } from '../../components/Page.tsx'
import { Ago } from '../../components/Time.tsx'
import { counted } from './acting/target.ts'
import { Groups } from './Groups.tsx'
import { ParkedList } from './ParkedList.tsx'
import { recentActions } from './recent.ts'
import { filterNames } from './useParkedFilter.ts'

const views = [
  ['groups', 'By cause'],
  ['list', 'List'],
] as const

/** Links to this browser's latest bulk action, to those of all operators, and to undelivered replies. */
const Recent = ({ undelivered }: { readonly undelivered: number }) => {
  const may = usePermissions()
  const [latest] = recentActions()
  if (!may('operate')) return null
  return (
    <>
      {latest !== undefined && (
        <Link href={`/troubleshooting/actions/${latest.id}`} className="text-sm text-accent hover:underline">
          Latest action: {latest.action} {counted(latest.count)}, <Ago at={latest.at} />
        </Link>
      )}
      <Link href="/troubleshooting/actions" className="text-sm text-accent hover:underline">
        All actions
      </Link>
      {undelivered > 0 && (
        <Link href="/troubleshooting/replies" className="text-sm text-warn hover:underline">
          Undelivered replies: {undelivered}
        </Link>
      )}
    </>
  )
}

export const TroubleshootingPage = () => {
  const view = useView(views)
  const stats = useQuery({ ...statsQuery(), staleTime: 30_000 })
  return (
    <Page
      title="Troubleshooting"
      intro="Commands that failed permanently wait here for an operator's decision. Their senders have no reply yet."
      aside={<Recent undelivered={stats.data?.undeliveredReplies ?? 0} />}
    >
      <Views views={views} path="/troubleshooting" />
      <FilterBar names={filterNames}>
        <TextFilter name="domain" label="Domain" list={stats.data?.domains.map(({ domain }) => domain) ?? []} />
        <TextFilter name="commandType" label="Type" />
        <TextFilter name="errorCode" label="Error code" />
        <TextFilter name="q" label="Id or message has" />
        <SelectFilter
          name="snoozed"
          label="Snoozed"
          options={[
            ['true', 'Now'],
            ['false', 'Not now'],
          ]}
        />
        <TimeFilter name="from" label="Since" />
        <TimeFilter name="to" label="Before" />
      </FilterBar>
      {view === 'groups' ? <Groups /> : <ParkedList />}
    </Page>
  )
}
