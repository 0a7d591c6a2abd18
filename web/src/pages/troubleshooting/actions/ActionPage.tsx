import { useQuery } from '@tanstack/react-query'
import { parkedActions } from '../../../../../src/domain/command/operator-actions.ts'
import { type Action, api } from '../../../api/client.ts'
import { statusOf } from '../../../api/problem.ts'
import { Link, useSearch } from '../../../app/router.tsx'
import { CommandLink } from '../../../components/CommandLink.tsx'
import { ErrorDisplay } from '../../../components/ErrorDisplay.tsx'
import { CopyButton, Mono } from '../../../components/Json.tsx'
import { SelectFilter } from '../../../components/lists/Filters.tsx'
import { Pager } from '../../../components/lists/Pager.tsx'
import { Table } from '../../../components/lists/Table.tsx'
import { NotFound } from '../../../components/NotFound.tsx'
import { Page, Section } from '../../../components/Page.tsx'
import { Answered, Empty } from '../../../components/states.tsx'
import { At } from '../../../components/Time.tsx'
import { counted } from '../acting/target.ts'
import { ActionChanges } from './ActionChanges.tsx'
import { becameLooks, filterText, ItemBadge, isRunning, outcomeLooks } from './action-words.tsx'
import { PauseAction } from './PauseAction.tsx'
import { Progress } from './Progress.tsx'
import { StopAction } from './StopAction.tsx'

const POLL_MS = 1_000
/** It is over, but commands that it has sent are not. */
const AFTERWARDS_MS = 3_000
const ITEMS = 100

const isWord = <Word extends string>(text: string | undefined, looks: Readonly<Record<Word, unknown>>): text is Word =>
  text !== undefined && text in looks

const ends: Readonly<Partial<Record<Action['status'], { severity: 'warning' | 'info'; text: string }>>> = {
  CANARY_FAILED: {
    severity: 'warning',
    text: 'Not all commands of the canary completed, so the rest stayed in troubleshooting. What to do: open those of the canary that did not complete, fix the cause, and retry the rest.',
  },
  STOPPED_BY_RULE: {
    severity: 'warning',
    text: 'Too many commands did not complete, so the rest stayed in troubleshooting. What to do: open those that did not complete, fix the cause, and retry the rest.',
  },
  STOPPED: { severity: 'info', text: 'This was stopped before all was done. What is left stays in troubleshooting.' },
}

const optionsOf = (looks: Readonly<Record<string, { readonly label: string }>>) =>
  Object.entries(looks).map(([value, { label }]) => [value, label] as const)

/** Shows the progress of a bulk action. Its id is in the address: a reload, or another browser, shows the same. */
export const ActionPage = ({ id }: { readonly id: string }) => {
  const { get } = useSearch()
  const [outcome, became, cursor] = [get('outcome'), get('became'), get('cursor')]
  const action = useQuery({
    queryKey: ['action', id, outcome, became, cursor],
    queryFn: ({ signal }) =>
      api.getAction(
        {
          params: { id },
          query: {
            items: 'true',
            limit: ITEMS,
            ...(isWord(outcome, outcomeLooks('retry')) ? { outcome } : {}),
            ...(isWord(became, becameLooks) ? { became } : {}),
            ...(cursor === undefined ? {} : { cursor }),
          },
        },
        { signal },
      ),
    refetchInterval: ({ state: { data } }) =>
      data === undefined || isRunning(data) ? POLL_MS : (data.became?.running ?? 0) > 0 ? AFTERWARDS_MS : false,
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
          {found && <PauseAction action={found} />}
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
                <div className="grid max-w-lg gap-3 p-3 sm:grid-cols-2">
                  <SelectFilter name="outcome" label="Outcome" options={optionsOf(outcomeLooks(action.action))} />
                  {action.action === 'retry' && (
                    <SelectFilter name="became" label="Afterwards" options={optionsOf(becameLooks)} />
                  )}
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
                        cell: item => (
                          <>
                            <ItemBadge item={item} action={action.action} />
                            {(item.message ?? item.becameCode) && (
                              <span className="block text-xs text-muted wrap-anywhere">
                                {item.message ?? item.becameCode}
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
              <ActionChanges changes={action.changes} />
            </>
          )
        }}
      </Answered>
    </Page>
  )
}
