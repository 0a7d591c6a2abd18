import { useQuery } from '@tanstack/react-query'
import { unhandledSentence } from '../../../../src/domain/flow/unhandled.ts'
import { missingWorkersQuery } from '../../api/watching-queries.ts'
import { Link } from '../../app/router.tsx'

/** What waits although it could begin, as no worker is there for it; nothing if there is a worker for everything. */
export const MissingWorkers = () => {
  const { data } = useQuery(missingWorkersQuery())
  const items = data?.items ?? []
  if (items.length === 0) return null
  return (
    <ul aria-label="No worker" className="card grid divide-y divide-line border-bad bg-bad-soft">
      {items.map(missing => (
        <li key={`${missing.domain} ${missing.commandType}`} className="px-4 py-2 text-sm font-semibold text-bad">
          <Link
            className="wrap-anywhere hover:underline"
            href={`/commands?status=PENDING&domain=${encodeURIComponent(missing.domain)}${missing.commandType === null ? '' : `&commandType=${encodeURIComponent(missing.commandType)}`}`}
          >
            {unhandledSentence(missing)}
          </Link>
        </li>
      ))}
    </ul>
  )
}

/** The same for one command that is pending. */
export const MissingWorkerOf = ({ domain, commandType }: { readonly domain: string; readonly commandType: string }) => {
  const { data } = useQuery(missingWorkersQuery(domain))
  const missing = data?.items.find(one => one.commandType === null || one.commandType === commandType)
  if (missing === undefined) return null
  return (
    <p role="status" className="rounded-md bg-bad-soft px-3 py-2 text-sm font-medium text-bad wrap-anywhere">
      {unhandledSentence(missing)}. It waits until a worker starts.
    </p>
  )
}
