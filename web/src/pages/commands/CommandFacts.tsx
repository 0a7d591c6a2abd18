import { useQuery } from '@tanstack/react-query'
import { pendingTimes, runningSince } from '../../../../src/domain/command/columns.ts'
import type { CommandDetail } from '../../api/client.ts'
import { attemptsQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { Link } from '../../app/router.tsx'
import { type Fact, Facts } from '../../components/Facts.tsx'
import { CopyButton, Mono } from '../../components/Json.tsx'
import { At } from '../../components/Time.tsx'

const parkedReasons: Readonly<Record<string, string>> = {
  PERMANENT: 'a permanent error',
  EXHAUSTED: 'attempts exhausted',
  LEASE_LOST: 'its workers died while running it',
  NO_HANDLER: 'no worker has a handler for its type',
  INVALID_PAYLOAD: 'the handler refuses its payload',
  ATTEMPT_ENDED: 'an operator ended its attempt',
  TAMPERED: 'its message was changed: it differs from the log',
}

export const reasonText = (reason: string): string => parkedReasons[reason] ?? reason

const Id = ({ text, href }: { readonly text: string; readonly href?: string }) => (
  <>
    {href === undefined ? (
      <Mono>{text}</Mono>
    ) : (
      <Link href={href} className="text-accent hover:underline">
        <Mono>{text}</Mono>
      </Link>
    )}{' '}
    <CopyButton text={text} what="id" />
  </>
)

export const CommandFacts = ({ command }: { readonly command: CommandDetail }) => {
  const search = (text: string): string => `/search?q=${encodeURIComponent(text)}`
  const may = usePermissions()
  const { domain, commandId } = command
  const attempts = useQuery({ ...attemptsQuery(domain, commandId), enabled: may('audit') && command.totalAttempts > 0 })
  const last = attempts.data?.items.at(-1)
  const since = runningSince(command)
  const facts: readonly Fact[] = [
    ['Id', <Id key="id" text={command.commandId} />],
    ['Correlation id', <Id key="c" text={command.correlationId} href={search(command.correlationId)} />],
    ['Caused by', command.causationId && <Id key="k" text={command.causationId} href={search(command.causationId)} />],
    [
      'Retry of',
      command.parentCommandId && <Id key="p" text={command.parentCommandId} href={search(command.parentCommandId)} />,
    ],
    [
      'Attempts',
      `${command.attempts} of ${command.maxAttempts}${command.totalAttempts > command.attempts ? ` (${command.totalAttempts} in total)` : ''}`,
    ],
    [command.status === 'PENDING' ? 'Runs at' : 'Not before', command.runAt && <At key="r" at={command.runAt} />],
    ['Expires', command.expiresAt && <At key="e" at={command.expiresAt} />],
    ['Priority', command.priority === 'normal' ? '' : command.priority],
    ['Lane', command.lane],
    ['Running since', since && <At key="since" at={since} />],
    ['Worker', last?.worker],
    ['Build', last?.build],
    ['Why parked', command.parkedReason && reasonText(command.parkedReason)],
    ...pendingTimes.map(([name, label]) => [label, command[name] && <At key={name} at={command[name]} />] as const),
    ['Sent', <At key="s" at={command.createdAt} />],
    ['Changed', <At key="u" at={command.updatedAt} />],
    ['Tenant', command.tenantId],
    ['Owner', command.ownerId],
    ['Queue', <Mono key="q">{command.queueName}</Mono>],
    ['Message', command.msgId],
    ['Revision', String(command.revision)],
  ]
  return <Facts facts={facts} />
}
