import { useQuery } from '@tanstack/react-query'
import { parkedActions } from '../../../../../src/domain/command/operator-actions.ts'
import type { ActionProgress } from '../../../api/client.ts'
import { actionsQuery } from '../../../api/queries.ts'
import { Link, useSearch } from '../../../app/router.tsx'
import { SelectFilter } from '../../../components/lists/Filters.tsx'
import { PagedList } from '../../../components/lists/PagedList.tsx'
import type { Column } from '../../../components/lists/Table.tsx'
import { Page } from '../../../components/Page.tsx'
import { Empty } from '../../../components/states.tsx'
import { Ago } from '../../../components/Time.tsx'
import { counted } from '../acting/target.ts'
import { ActionBadge, actionLooks, filterText } from './action-words.tsx'

const columns: readonly Column<ActionProgress>[] = [
  {
    title: 'Action',
    grows: true,
    cell: ({ actionId, action, total, filter }) => (
      <Link href={`/troubleshooting/actions/${actionId}`} data-row className="group block rounded">
        <span className="font-medium text-accent group-hover:underline xl:mr-3">
          {parkedActions[action].verb} {counted(total)}
        </span>
        <span className="block text-xs text-muted wrap-anywhere xl:inline">{filterText(filter)}</span>
      </Link>
    ),
  },
  { title: 'Status', cell: ({ status }) => <ActionBadge status={status} /> },
  { title: 'Done', numeric: true, from: 'sm', cell: ({ succeeded }) => succeeded },
  { title: 'Failed', numeric: true, from: 'sm', cell: ({ failed }) => failed },
  { title: 'Skipped', numeric: true, from: 'md', cell: ({ skipped }) => skipped },
  { title: 'By', from: 'lg', cell: ({ operator }) => <span className="wrap-anywhere">{operator}</span> },
  { title: 'Started', from: 'sm', cell: ({ createdAt }) => <Ago at={createdAt} /> },
]

const statusOptions = Object.entries(actionLooks).map(([value, { label }]) => [value, label] as const)

/** Lists the bulk actions of all operators. */
export const ActionsPage = () => {
  const { get } = useSearch()
  const [status, cursor] = [get('status'), get('cursor')]
  const actions = useQuery(
    actionsQuery({
      // what the server does not know it refuses, and the page says so
      ...(status === undefined ? {} : { status: status as ActionProgress['status'] }),
      ...(cursor === undefined ? {} : { cursor }),
    }),
  )
  return (
    <Page
      title="Actions"
      intro="What operators did to many commands at once. Actions run in the background."
      aside={
        <Link href="/troubleshooting" className="text-sm text-accent hover:underline">
          To troubleshooting
        </Link>
      }
    >
      <PagedList
        query={actions}
        names={['action', 'actions']}
        csv="listActions"
        columns={columns}
        keyOf={({ actionId }) => actionId}
        dense
        filters={
          <div className="max-w-56 p-3">
            <SelectFilter name="status" label="Status" options={statusOptions} />
          </div>
        }
        empty={<Empty title={status === undefined ? 'There are no actions yet' : 'No action has this status'} />}
      />
    </Page>
  )
}
