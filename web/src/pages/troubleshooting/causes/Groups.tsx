import { useQuery } from '@tanstack/react-query'
import { MessageSquareText } from 'lucide-react'
import { useState } from 'react'
import { NO_FRAME } from '../../../../../src/domain/command/parking.ts'
import type { ParkedGroup } from '../../../api/client.ts'
import { groupsQuery } from '../../../api/queries.ts'
import { usePermissions, useSessionState } from '../../../api/session.ts'
import { Link, useSearch } from '../../../app/router.tsx'
import { Button } from '../../../components/Button.tsx'
import { DownloadCsv } from '../../../components/lists/DownloadCsv.tsx'
import { Answered, Empty } from '../../../components/states.tsx'
import { Ago } from '../../../components/Time.tsx'
import { ActionBar } from '../acting/ActionBar.tsx'
import { counted } from '../acting/target.ts'
import { useParkedFilter } from '../useParkedFilter.ts'
import { CauseCare } from './CauseCare.tsx'
import { CauseDialog } from './CauseDialog.tsx'
import { Explain } from './Explain.tsx'

const causeOf = ({ domain, commandType, errorCode, frame }: ParkedGroup) => ({
  domain,
  commandType,
  errorCode,
  frame: frame ?? NO_FRAME,
})

const listOf = (group: ParkedGroup): string =>
  `/troubleshooting?${new URLSearchParams({ view: 'list', ...causeOf(group) })}`

/** The largest first, as they come, or those in which something was parked last. */
const inOrder = (groups: readonly ParkedGroup[], order: string | undefined): readonly ParkedGroup[] =>
  order === 'newest' ? groups.toSorted((a, b) => b.last.localeCompare(a.last)) : groups

/** One card for each cause: what failed, how often, since when, and the actions on all of these commands. */
export const Groups = () => {
  const { get, set } = useSearch()
  const { filter, fitsActions } = useParkedFilter()
  const groups = useQuery(groupsQuery(filter))
  const may = usePermissions()
  const { session } = useSessionState()
  const [writing, setWriting] = useState<ParkedGroup | null>(null)
  return (
    <>
      {writing !== null && <CauseDialog group={writing} onClose={() => setWriting(null)} />}
      <Answered query={groups} what="causes">
        {({ items }) =>
          items.length === 0 ? (
            <div className="card">
              <Empty title="Nothing is in troubleshooting">
                <p>{Object.keys(filter).length > 0 ? 'Nothing that fits these filters.' : 'All is well.'}</p>
              </Empty>
            </div>
          ) : (
            <>
              <div className="flex flex-wrap items-center justify-end gap-2 text-sm">
                <label className="flex items-center gap-2 text-muted">
                  Order
                  <select
                    className="field w-auto"
                    value={get('sort') === 'newest' ? 'newest' : ''}
                    onChange={event => set({ sort: event.target.value })}
                  >
                    <option value="">Largest first</option>
                    <option value="newest">Newest first</option>
                  </select>
                </label>
                <DownloadCsv list="groupParked" name="causes" />
              </div>
              <ul className="grid gap-3">
                {inOrder(items, get('sort')).map(group => {
                  const { key, domain, commandType, errorCode, frame, count, first, last, sample } = group
                  return (
                    <li key={key} className="card flex flex-wrap items-start justify-between gap-3 p-4">
                      <div className="min-w-0 flex-1 basis-72">
                        <h2 className="font-semibold wrap-anywhere">
                          <Link href={listOf(group)} data-row className="text-accent hover:underline">
                            {errorCode || 'No error code'}
                          </Link>
                        </h2>
                        <p className="text-sm text-muted wrap-anywhere">
                          {commandType} in {domain} · {counted(count)} · first <Ago at={first} />, last{' '}
                          <Ago at={last} />
                        </p>
                        {frame !== null && <p className="mt-1 font-mono text-xs wrap-anywhere">{frame}</p>}
                        {sample !== null && <p className="mt-1 line-clamp-2 text-sm wrap-anywhere">{sample}</p>}
                        <CauseCare care={group.care} />
                      </div>
                      <div className="flex flex-wrap gap-2">
                        {errorCode !== '' && <Explain cause={causeOf(group)} />}
                        {may('operate') && session?.tenant == null && (
                          <Button
                            look="quiet"
                            icon={<MessageSquareText aria-hidden className="size-4" />}
                            onClick={() => setWriting(group)}
                          >
                            Write about the cause
                          </Button>
                        )}
                        {fitsActions && (
                          <ActionBar
                            target={{
                              kind: 'matching',
                              filter: { ...filter, ...causeOf(group) },
                              total: count,
                            }}
                          />
                        )}
                      </div>
                    </li>
                  )
                })}
              </ul>
            </>
          )
        }
      </Answered>
    </>
  )
}
