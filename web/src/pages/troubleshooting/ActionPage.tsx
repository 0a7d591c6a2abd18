import { useQuery } from '@tanstack/react-query'
import { parkedActions } from '../../../../src/domain/command/operator-actions.ts'
import { type Action, api } from '../../api/client.ts'
import { statusOf } from '../../api/problem.ts'
import { Link, useSearch } from '../../app/router.tsx'
import { CommandLink } from '../../components/CommandLink.tsx'
import { ErrorDisplay } from '../../components/ErrorDisplay.tsx'
import { CopyButton, Mono } from '../../components/Json.tsx'
import { SelectFilter } from '../../components/lists/Filters.tsx'
import { Pager } from '../../components/lists/Pager.tsx'
import { Table } from '../../components/lists/Table.tsx'
import { NotFound } from '../../components/NotFound.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { Badge, type Tone } from '../../components/StatusBadge.tsx'
import { Answered, Empty } from '../../components/states.tsx'
import { At } from '../../components/Time.tsx'
import { counted } from './acting/target.ts'
import { filterText, isRunning } from './action-words.tsx'
import { Progress } from './Progress.tsx'
import { StopAction } from './StopAction.tsx'

const POLL_MS = 1_000
const ITEMS = 100

type Outcome = NonNullable<NonNullable<Action['items']>[number]['outcome']>

const outcomes: Readonly<Record<Outcome, { readonly label: string; readonly tone: Tone }>> = {
  SUCCEEDED: { label: 'Done', tone: 'ok' },
  FAILED: { label: 'Failed', tone: 'bad' },
  SKIPPED: { label: 'Skipped', tone: 'idle' },
}

const ends: Readonly<Partial<Record<Action['status'], { severity: 'warning' | 'info'; text: string }>>> = {
  CANARY_FAILED: {
    severity: 'warning',
    text: 'The canary did not work, so the rest stayed in troubleshooting. What to do: open the failed commands, fix the cause, then retry the rest.',
  },
  STOPPED: { severity: 'info', text: 'This was stopped before all was done. What is left stays in troubleshooting.' },
}

/** Shows the progress of a bulk action. Its id is in the address: a reload, or another browser, shows the same. */
export const ActionPage = ({ id }: { readonly id: string }) => {
  const { get } = useSearch()
  const [outcome, cursor] = [get('outcome'), get('cursor')]
  const action = useQuery({
    queryKey: ['action', id, outcome, cursor],
    queryFn: ({ signal }) =>
      api.getAction(
        {
          params: { id },
          query: {
            items: 'true',
            limit: ITEMS,
            ...(outcome === undefined ? {} : { outcome: outcome as Outcome }),
            ...(cursor === undefined ? {} : { cursor }),
          },
        },
        { signal },
      ),
    refetchInterval: ({ state }) => (state.data === undefined || isRunning(state.data) ? POLL_MS : false),
    placeholderData: (before, query) => (query?.queryKey[1] === id ? before : undefined),
  })
  if (statusOf(action.error) === 404) {
    return (
      <NotFound
        title="Unknown action"
        why="There is no such action, or your token does not see it"
        href="/troubleshooting"
        instead="To troubleshooting"
      />
    )
  }
  const found = action.data
  const isLoading = action.isPlaceholderData
  return (
    <Page
      title={found ? `${parkedActions[found.action].verb} ${counted(found.total)}` : 'Action'}
      intro={
        found && (
          <>
            Started by {found.operator}, <At at={found.createdAt} />. {filterText(found.filter)}. Runs in the
            background; you can close this page. <Mono>{id}</Mono> <CopyButton text={id} what="action id" />
          </>
        )
      }
      aside={
        <>
          <Link href="/troubleshooting/actions" className="text-sm text-accent hover:underline">
            All actions
          </Link>
          {found && <StopAction action={found} offered={isRunning(found)} />}
        </>
      }
    >
      <Answered query={action} what="the action">
        {action => {
          const end = ends[action.status]
          return (
            <>
              <Section title="Progress">
                <Progress action={action} />
              </Section>
              {end && <ErrorDisplay severity={end.severity} message={end.text} />}
              {action.note !== null && <p className="text-sm text-muted">{action.note}</p>}
              <Section title="Commands">
                <div className="max-w-56 p-3">
                  <SelectFilter
                    name="outcome"
                    label="Outcome"
                    options={Object.entries(outcomes).map(([value, { label }]) => [value, label] as const)}
                  />
                </div>
                {action.items === undefined || action.items.length === 0 ? (
                  <Empty title="No command has this outcome" />
                ) : (
                  <Table
                    label="Commands of this action"
                    dense
                    loading={isLoading}
                    rows={action.items}
                    keyOf={({ ordinal }) => String(ordinal)}
                    columns={[
                      {
                        title: 'Command',
                        cell: item => <CommandLink {...item} commandType={`Command ${item.ordinal}`} dense />,
                      },
                      {
                        title: 'Outcome',
                        grows: true,
                        cell: ({ outcome, message }) => (
                          <>
                            {outcome === null ? (
                              <Badge tone="idle">Waiting</Badge>
                            ) : (
                              <Badge tone={outcomes[outcome].tone}>{outcomes[outcome].label}</Badge>
                            )}
                            {message && (
                              <span className="block text-xs text-muted wrap-anywhere xl:ml-2 xl:inline">
                                {message}
                              </span>
                            )}
                          </>
                        ),
                      },
                    ]}
                  />
                )}
                <Pager
                  nextCursor={action.nextCursor ?? null}
                  summary={`${counted(action.items?.length ?? 0)} on this page`}
                />
              </Section>
            </>
          )
        }}
      </Answered>
    </Page>
  )
}
