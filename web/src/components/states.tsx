import { Inbox, LoaderCircle, PlugZap, RefreshCw, ShieldAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { NoAnswerError } from '../api/fetch.ts'
import { explain, isOffline, statusOf } from '../api/problem.ts'
import { useLive } from '../app/LiveProvider.tsx'
import { Button } from './Button.tsx'
import { ErrorDisplay } from './ErrorDisplay.tsx'
import { useAddressFault } from './lists/AddressFault.tsx'

export const Loading = ({ what }: { readonly what: string }) => (
  <div role="status" className="flex items-center gap-2 p-6 text-sm text-muted">
    <LoaderCircle aria-hidden className="size-4 animate-spin" />
    Loading {what} …
  </div>
)

export const Empty = ({ title, children }: { readonly title: string; readonly children?: ReactNode }) => (
  <div className="grid justify-items-center gap-2 px-4 py-10 text-center text-sm text-muted">
    <Inbox aria-hidden className="size-7" />
    <p className="font-medium text-ink">{title}</p>
    {children}
  </div>
)

/** Why there is nothing to see: no connection, no permission, or a failure. */
export const Failed = ({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) => {
  const offline = isOffline(error)
  const forbidden = statusOf(error) === 403
  const wrongAddress = useAddressFault(error)
  if (wrongAddress !== null) return wrongAddress
  if (!offline && !forbidden) {
    return (
      <div className="grid gap-3 p-4">
        <ErrorDisplay message={explain(error)} />
        {retry && (
          <Button onClick={retry} icon={<RefreshCw aria-hidden className="size-4" />} className="justify-self-start">
            Try again
          </Button>
        )}
      </div>
    )
  }
  return (
    <div role="alert" className="grid justify-items-center gap-2 px-4 py-10 text-center text-sm">
      {offline ? (
        <PlugZap aria-hidden className="size-7 text-warn" />
      ) : (
        <ShieldAlert aria-hidden className="size-7 text-warn" />
      )}
      <p className="font-medium">{offline ? 'No connection' : 'Not allowed with this token'}</p>
      <p className="max-w-prose text-muted">{explain(error)}</p>
      {offline && retry && <Button onClick={retry}>Try now</Button>}
    </div>
  )
}

interface Query<Data> {
  readonly data: Data | undefined
  readonly error: unknown
  readonly isPending: boolean
  readonly refetch: () => unknown
}

/** The data of a query, if stale with a note, or why there is none. */
export const Answered = <Data,>({
  query,
  what,
  children,
}: {
  readonly query: Query<Data>
  readonly what: string
  readonly children: (data: Data) => ReactNode
}) => {
  // a server that hangs is noticed before a request for this data fails
  const offline = useLive().mode === 'offline'
  if (query.data !== undefined) {
    return (
      <>
        {(query.error !== null || offline) && (
          <p role="status" className="m-2 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
            {explain(query.error ?? new NoAnswerError())}
          </p>
        )}
        {children(query.data)}
      </>
    )
  }
  if (query.error !== null) return <Failed error={query.error} retry={() => query.refetch()} />
  return <Loading what={what} />
}
