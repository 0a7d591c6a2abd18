import { useQuery } from '@tanstack/react-query'
import { NO_FRAME } from '../../../../src/domain/command/parking.ts'
import type { ParkedGroup } from '../../api/client.ts'
import { groupsQuery } from '../../api/queries.ts'
import { Link } from '../../app/router.tsx'
import { Answered, Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { ActionBar } from './acting/ActionBar.tsx'
import { counted } from './acting/target.ts'
import { Explain } from './Explain.tsx'
import { useParkedFilter } from './useParkedFilter.ts'

const causeOf = ({ domain, commandType, errorCode, frame }: ParkedGroup) => ({
  domain,
  commandType,
  errorCode,
  frame: frame ?? NO_FRAME,
})

const listOf = (group: ParkedGroup): string =>
  `/troubleshooting?${new URLSearchParams({ view: 'list', ...causeOf(group) })}`

/** One card for each cause: what failed, how often, since when, and the actions on all of these commands. */
export const Groups = () => {
  const { filter, fitsActions } = useParkedFilter()
  const groups = useQuery(groupsQuery(filter))
  return (
    <Answered query={groups} what="causes">
      {({ items }) =>
        items.length === 0 ? (
          <div className="card">
            <Empty title="Nothing is in troubleshooting">
              <p>{Object.keys(filter).length > 0 ? 'Nothing that fits these filters.' : 'All is well.'}</p>
            </Empty>
          </div>
        ) : (
          <ul className="grid gap-3">
            {items.map(group => {
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
                      {commandType} in {domain} · {counted(count)} · first <Ago at={first} />, last <Ago at={last} />
                    </p>
                    {frame !== null && <p className="mt-1 font-mono text-xs wrap-anywhere">{frame}</p>}
                    {sample !== null && <p className="mt-1 line-clamp-2 text-sm wrap-anywhere">{sample}</p>}
                  </div>
                  <div className="flex flex-wrap gap-2">
                    {errorCode !== '' && <Explain cause={causeOf(group)} />}
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
        )
      }
    </Answered>
  )
}
