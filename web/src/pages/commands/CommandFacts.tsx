import { pendingTimes } from '../../../../src/domain/command/columns.ts'
import type { AuditEntry, CommandDetail } from '../../api/client.ts'
import { Link } from '../../app/router.tsx'
import { type Fact, Facts } from '../../components/Facts.tsx'
import { CopyButton, Mono } from '../../components/Json.tsx'
import { Tags } from '../../components/Tags.tsx'
import { AtAgo } from '../../components/Time.tsx'
import { runOf, settledBy } from './waiting/from-audit.ts'

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
  const run = command.status === 'IN_PROGRESS' ? runOf(audit) : null
  const settled = settledBy(command.status, audit)
  const search = (text: string): string => `/search?q=${encodeURIComponent(text)}`
  const facts: readonly Fact[] = [
    ['Worker', run && <Mono key="w">{run.worker}</Mono>],
    ['Running since', run && <AtAgo key="rs" at={run.since} />],
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
