import { useQuery } from '@tanstack/react-query'
import { pendingTimes, runningSince } from '../../../../src/domain/command/columns.ts'
import type { AuditEntry, CommandDetail } from '../../api/client.ts'
import { attemptsQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { Link } from '../../app/router.tsx'
import { type Fact, Facts } from '../../components/Facts.tsx'
import { CopyButton, Mono } from '../../components/Json.tsx'
import { Tags } from '../../components/Tags.tsx'
import { AtAgo } from '../../components/Time.tsx'
import { settledBy } from './waiting/from-audit.ts'

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

interface CommandFactsProps {
  readonly command: CommandDetail
  /** What the audit says of it, for those who may read that. */
  readonly audit?: readonly AuditEntry[] | undefined
}

export const CommandFacts = ({ command, audit = [] }: CommandFactsProps) => {
  const settled = settledBy(command.status, audit)
  const search = (text: string): string => `/search?q=${encodeURIComponent(text)}`
  const may = usePermissions()
  const { domain, commandId } = command
  const attempts = useQuery({ ...attemptsQuery(domain, commandId), enabled: may('audit') && command.totalAttempts > 0 })
  const last = attempts.data?.items.at(-1)
  const since = runningSince(command)
  const facts: readonly Fact[] = [
    ['Running since', since && <AtAgo key="since" at={since} />],
    ['Worker', last?.worker],
    ['Build', last?.build],
    [settled?.word ?? '', settled && `by ${settled.by}`],
    ['Because', settled?.reason ?? null],
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
    [command.status === 'PENDING' ? 'Runs at' : 'Not before', command.runAt && <AtAgo key="r" at={command.runAt} />],
    ['Expires', command.expiresAt && <AtAgo key="e" at={command.expiresAt} />],
    ['Priority', command.priority === 'normal' ? '' : command.priority],
    ['Lane', command.lane],
    ['Why parked', command.parkedReason && reasonText(command.parkedReason)],
    ...pendingTimes.map(([name, label]) => [label, command[name] && <AtAgo key={name} at={command[name]} />] as const),
    ['Assignee', command.assignee],
    ['Tags', command.tags.length > 0 && <Tags key="t" tags={command.tags} />],
    ['Sent', <AtAgo key="s" at={command.createdAt} />],
    ['Changed', <AtAgo key="u" at={command.updatedAt} />],
    ['Tenant', command.tenantId],
    ['Owner', command.ownerId],
    ['Queue', <Mono key="q">{command.queueName}</Mono>],
    ['Message', command.msgId],
    ['Events', String(command.revision + 1)],
  ]
  return <Facts facts={facts} />
}
