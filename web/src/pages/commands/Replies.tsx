import { useQuery } from '@tanstack/react-query'
import type { AuditEntry, CommandDetail } from '../../api/client.ts'
import { undeliveredQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { Link } from '../../app/router.tsx'
import { Mono } from '../../components/Json.tsx'
import { At } from '../../components/Time.tsx'

const outcomes: Readonly<Partial<Record<CommandDetail['status'], string>>> = {
  COMPLETED: 'SUCCESS',
  FAILED: 'FAILED',
  CANCELED: 'CANCELED',
}

interface RepliesProps {
  readonly command: CommandDetail
  readonly audit: readonly AuditEntry[] | undefined
}

/** A command has exactly one reply, when it ends, if its sender asked for one. */
export const Replies = ({ command, audit }: RepliesProps) => {
  const outcome = outcomes[command.status]
  const end = audit?.at(-1)
  const may = usePermissions()
  const kept = useQuery({
    ...undeliveredQuery({ domain: command.domain, commandId: command.commandId }),
    enabled: may('operate', command.domain) && outcome !== undefined && command.replyTo !== null,
  }).data?.items[0]
  if (command.replyTo === null) return <p className="p-4 text-sm text-muted">The sender did not ask for a reply.</p>
  return (
    <div className="p-4 text-sm">
      {outcome === undefined ? (
        <p>
          None yet: it goes to <Mono>{command.replyTo}</Mono> when the command ends.
        </p>
      ) : kept !== undefined ? (
        <p>
          <strong>{outcome}</strong> could not be delivered to <Mono>{kept.queue}</Mono> ({kept.reason}). It is kept
          among the{' '}
          <Link href="/troubleshooting/replies" className="text-accent underline">
            undelivered replies
          </Link>
          .
        </p>
      ) : (
        <p>
          <strong>{outcome}</strong> was sent to <Mono>{command.replyTo}</Mono>
          {end && (
            <>
              {' '}
              at <At at={end.ts} />
            </>
          )}
          .
        </p>
      )}
    </div>
  )
}
