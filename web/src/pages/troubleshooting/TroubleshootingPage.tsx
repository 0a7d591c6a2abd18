import { useQuery } from '@tanstack/react-query'
import { type Condition, parkedConditions } from '../../../../src/domain/command/parking.ts'
import { statsQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { Link } from '../../app/router.tsx'
import { FilterBar, SelectFilter, TextFilter, TimeFilter } from '../../components/lists/Filters.tsx'
import { SavedViews } from '../../components/lists/SavedViews.tsx'
import { useView, Views } from '../../components/lists/Views.tsx'
import { Page } from '../../components/Page.tsx'
import { Ago } from '../../components/Time.tsx'
import { counted } from './acting/target.ts'
import { Groups } from './causes/Groups.tsx'
import { ParkedList } from './ParkedList.tsx'
import { recentActions } from './recent.ts'

const conditionNames = parkedConditions.map(([name]) => name)

const views = [
  ['groups', 'By cause'],
  ['list', 'List'],
] as const

interface RecentProps {
  readonly undelivered: number
  readonly strangers: number
}

/** Links to this browser's latest bulk action, to those of all operators, to undelivered replies and messages of other programs. */
const Recent = ({ undelivered, strangers }: RecentProps) => {
  const may = usePermissions()
  const [latest] = recentActions()
  const owed = (
    <Link href="/troubleshooting/owed" className="text-sm text-accent hover:underline">
      Owed replies
    </Link>
  )
  if (!may('operate')) return owed
  return (
    <>
      {owed}
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
      <Link
        href="/troubleshooting/strangers"
        className={`text-sm hover:underline ${strangers > 0 ? 'text-warn' : 'text-accent'}`}
      >
        Messages of other programs{strangers > 0 ? `: ${strangers}` : ''}
      </Link>
    </>
  )
}

interface ConditionFieldProps {
  readonly name: string
  readonly condition: Condition
  readonly domains: readonly string[]
}

/** Shown when they hold something, or when all are asked for. */
const seldom: readonly string[] = ['frame', 'assignee', 'tag']

const ConditionField = ({ name, condition: { kind, label, choices = {} }, domains }: ConditionFieldProps) => {
  switch (kind) {
    case 'domain':
      return <TextFilter name={name} label={label} list={domains} />
    case 'commandType':
    case 'text':
      return <TextFilter rare={seldom.includes(name)} name={name} label={label} />
    case 'boolean':
      return <SelectFilter rare name={name} label={label} options={Object.entries(choices)} />
    case 'instant':
      return <TimeFilter rare name={name} label={label} />
  }
}

export const TroubleshootingPage = () => {
  const view = useView(views)
  const stats = useQuery({ ...statsQuery(), staleTime: 30_000 })
  const domains = stats.data?.domains.map(({ domain }) => domain) ?? []
  return (
    <Page
      title="Troubleshooting"
      count={stats.data?.total.IN_TROUBLESHOOTING_QUEUE}
      intro="Failed permanently, and in need of a decision. Senders have no reply yet."
      aside={
        <>
          <SavedViews list="troubleshooting" path="/troubleshooting" names={[...conditionNames, 'view', 'sort']} />
          <Recent
            undelivered={stats.data?.undeliveredReplies ?? 0}
            strangers={stats.data?.queues.reduce((sum, { strangers }) => sum + strangers, 0) ?? 0}
          />
        </>
      }
    >
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Views views={views} path="/troubleshooting" />
        <FilterBar names={conditionNames} more>
          {parkedConditions.map(([name, condition]) => (
            <ConditionField key={name} name={name} condition={condition} domains={domains} />
          ))}
        </FilterBar>
      </div>
      {view === 'groups' ? <Groups /> : <ParkedList />}
    </Page>
  )
}
