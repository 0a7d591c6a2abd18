import { LoaderCircle } from 'lucide-react'
import type { Operation } from '../../api/client.ts'
import { isOver } from '../../api/queries.ts'
import { Link, navigate } from '../../app/router.tsx'
import { ErrorDisplay } from '../../components/ErrorDisplay.tsx'
import { CopyButton, Json, Mono } from '../../components/Json.tsx'
import { Section } from '../../components/Page.tsx'
import { AtAgo } from '../../components/Time.tsx'
import { useRetryOperation } from './useRetryOperation.ts'
import { useTooLong } from './useTooLong.ts'
import { statusText } from './words.tsx'

/** An operation as its owner sees it: its progress, its result, and a way to try again. */
export const OperationView = ({ operation }: { readonly operation: Operation }) => {
  const { id, status, error_message, result, parent_operation_id, retry_count, session_id, message_id } = operation
  const retry = useRetryOperation(next => navigate(`/operations/${next.id}`))
  const running = !isOver(operation)
  const tooLong = useTooLong(running, operation.created_at)
  const offered = operation.retriable ? { operationId: id, onRetry: retry.mutateAsync } : {}
  return (
    <>
      {running && (
        <div role="status" className="card flex items-center gap-3 p-4 text-sm">
          <LoaderCircle aria-hidden className="size-4 animate-spin text-info" />
          <span>{statusText(status)} …</span>
        </div>
      )}
      {tooLong && (
        <ErrorDisplay
          severity="info"
          message="This takes longer than expected. What to do: keep this page open or come back later; it continues in the background and nothing is lost."
        />
      )}
      {status === 'failed' && <ErrorDisplay message={error_message ?? 'The operation failed.'} {...offered} />}
      {status === 'completed' && (
        <Section title="Result">
          <div className="p-3">
            <Json value={result} label="Result" />
          </div>
        </Section>
      )}
      <Section title="Facts">
        <dl className="grid grid-cols-[8.5rem_minmax(0,1fr)] gap-y-1.5 p-4 text-sm">
          <dt className="text-muted">Status</dt>
          <dd data-testid="operation-status">{status}</dd>
          <dt className="text-muted">Id</dt>
          <dd>
            <Mono>{id}</Mono> <CopyButton text={id} what="operation id" />
          </dd>
          {parent_operation_id !== null && (
            <>
              <dt className="text-muted">Retry of</dt>
              <dd>
                <Link href={`/operations/${parent_operation_id}`} className="text-accent hover:underline">
                  <Mono>{parent_operation_id}</Mono>
                </Link>
                , retry {retry_count}
              </dd>
            </>
          )}
          {session_id !== null && (
            <>
              <dt className="text-muted">Session</dt>
              <dd className="wrap-anywhere">{session_id}</dd>
            </>
          )}
          {message_id !== null && (
            <>
              <dt className="text-muted">Message</dt>
              <dd className="wrap-anywhere">{message_id}</dd>
            </>
          )}
          <dt className="text-muted">Started</dt>
          <dd>
            <AtAgo at={operation.created_at} />
          </dd>
          <dt className="text-muted">Changed</dt>
          <dd>
            <AtAgo at={operation.updated_at} />
          </dd>
        </dl>
      </Section>
    </>
  )
}
