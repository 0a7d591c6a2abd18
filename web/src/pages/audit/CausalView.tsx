import { useQueries, useQuery } from '@tanstack/react-query'
import type { AuditEntry, CausalNode, CommandStatus } from '../../api/client.ts'
import { auditQuery, correlationQuery } from '../../api/queries.ts'
import { Link } from '../../app/router.tsx'
import { CommandLink } from '../../components/CommandLink.tsx'
import { Section } from '../../components/Page.tsx'
import { Badge, StatusBadge, statusLooks } from '../../components/StatusBadge.tsx'
import { Answered, Empty } from '../../components/states.tsx'
import { Ago, At } from '../../components/Time.tsx'
import { eventWords } from '../commands/Timeline.tsx'
import { credits, files, RunBadge } from '../runs/words.tsx'
import { counted } from '../troubleshooting/acting/target.ts'

/** Trails are fetched one by one; more than this many would be unreadable. */
const TRAILS = 25
const DEEPEST = 6

const reasons: Readonly<Record<NonNullable<CausalNode['via']>, string>> = {
  parent: 'a retry of',
  causation: 'caused by',
  run: 'for',
  charge: 'refunds the',
}

type CommandNode = Extract<CausalNode, { readonly commandId: string }>

const isCommand = (node: CausalNode): node is CommandNode => 'commandId' in node

const idOf = (node: CausalNode): string =>
  isCommand(node)
    ? `${node.domain}/${node.commandId}`
    : node.kind === 'run'
      ? node.id
      : `${node.tenantId}/${node.revision}`

const nameOf = (node: CausalNode): string =>
  isCommand(node) ? node.commandType : node.kind === 'run' ? `the run of ${node.templateName}` : node.kind

const NodeLink = ({ node }: { readonly node: CausalNode }) => {
  if (isCommand(node)) return <CommandLink {...node} />
  if (node.kind === 'run') {
    return (
      <Link href={`/runs/${node.id}`} data-row="" className="group block rounded text-left">
        <span className="font-medium text-accent group-hover:underline">{node.templateName}</span>
        <span className="block text-xs text-muted">
          run of {files(node.totalJobs)}, round {node.round} ·{' '}
          <span className="font-mono wrap-anywhere">{node.id}</span>
        </span>
      </Link>
    )
  }
  return (
    <>
      <span className="font-medium">{credits(Math.abs(node.monthly + node.purchased))}</span>
      <span className="block text-xs text-muted wrap-anywhere">
        {node.reason !== null && `${node.reason}, `}by {node.actor}
      </span>
    </>
  )
}

const NodeBadge = ({ node }: { readonly node: CausalNode }) => {
  if (isCommand(node)) return <StatusBadge status={node.status} />
  if (node.kind === 'run') return <RunBadge status={node.status} />
  return <Badge tone={node.kind === 'charge' ? 'idle' : 'info'}>{node.kind === 'charge' ? 'Charge' : 'Refund'}</Badge>
}

const Tree = ({ items }: { readonly items: readonly CausalNode[] }) => (
  <ol className="grid gap-1 p-3">
    {items.map(node => {
      const cause = node.cause === null ? undefined : items[node.cause]
      return (
        <li
          key={idOf(node)}
          style={{ marginInlineStart: `${Math.min(node.depth, DEEPEST) * 1.25}rem` }}
          className={`flex flex-wrap items-start justify-between gap-x-4 gap-y-1 rounded-md px-3 py-2 text-sm hover:bg-raised ${node.depth > 0 ? 'border-l-2 border-line' : ''}`}
        >
          <div className="min-w-0">
            <NodeLink node={node} />
            {cause !== undefined && node.via !== null && (
              <p className="text-xs text-muted">
                {reasons[node.via]} {nameOf(cause)}
              </p>
            )}
          </div>
          <div className="flex items-center gap-3">
            <span className="text-xs text-muted">
              <Ago at={'at' in node ? node.at : node.createdAt} />
            </span>
            <NodeBadge node={node} />
          </div>
        </li>
      )
    })}
  </ol>
)

/** Counts of what is not shown, with links to it. */
const NotShown = ({
  correlationId,
  counts,
}: {
  readonly correlationId: string
  readonly counts: readonly { readonly status: CommandStatus; readonly count: number }[]
}) => (
  <p role="note" className="m-3 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
    Not all are shown. Those that failed or are in troubleshooting come first, with what led to them.
    {counts.length > 0 && ' Left out: '}
    {counts.map(({ status, count }, i) => (
      <span key={status}>
        {i > 0 && ', '}
        <Link href={`/commands?${new URLSearchParams({ correlationId, status })}`} className="underline">
          {count} {statusLooks[status].label.toLowerCase()}
        </Link>
      </span>
    ))}
    {counts.length > 0 && '.'}
  </p>
)

type StoryEntry = AuditEntry & { readonly of: CommandNode }

/** The trails of all commands, as one story. */
const Story = ({ items }: { readonly items: readonly CommandNode[] }) => {
  const shown = items.slice(0, TRAILS)
  const trails = useQueries({
    queries: shown.map(({ domain, commandId }) => auditQuery(domain, commandId)),
    combine: results => ({
      loading: results.some(({ isPending }) => isPending),
      entries: results.flatMap(({ data }, i): StoryEntry[] => {
        const of = shown[i]
        return of === undefined ? [] : (data?.items ?? []).map(entry => ({ ...entry, of }))
      }),
    }),
  })
  const entries = [...trails.entries].sort(
    (a, b) => Date.parse(a.ts) - Date.parse(b.ts) || (a.of === b.of ? a.revision - b.revision : 0),
  )
  return (
    <Section
      title="The whole story"
      aside={items.length > TRAILS && <span className="text-xs text-muted">of the first {counted(TRAILS)}</span>}
    >
      {items.length === 0 ? (
        <p className="p-4 text-sm text-muted">None of its commands is here. Old ones may have been archived.</p>
      ) : trails.loading && entries.length === 0 ? (
        <p role="status" className="p-4 text-sm text-muted">
          Loading the story …
        </p>
      ) : (
        <ol className="grid gap-2 p-4 text-sm">
          {entries.map(entry => (
            <li
              key={`${entry.of.domain}/${entry.of.commandId}/${entry.auditId}`}
              className="grid gap-x-4 sm:grid-cols-[10.5rem_minmax(0,1fr)]"
            >
              <span className="text-xs text-muted">
                <At at={entry.ts} />
              </span>
              <span className="wrap-anywhere">
                <strong className="font-medium">{entry.of.commandType}</strong>{' '}
                {eventWords(entry.eventType).toLowerCase()} <span className="text-muted">by {entry.actor}</span>
              </span>
            </li>
          ))}
        </ol>
      )}
    </Section>
  )
}

export const CausalView = ({ correlationId }: { readonly correlationId: string }) => {
  const correlation = useQuery(correlationQuery(correlationId))
  return (
    <Answered query={correlation} what="related commands">
      {({ items, truncated, notShown }) =>
        items.length === 0 ? (
          <div className="card">
            <Empty title="Nothing has this correlation id" />
          </div>
        ) : (
          <div className="grid items-start gap-4 xl:grid-cols-2">
            <Section
              title="What caused what"
              aside={
                <span className="text-xs text-muted">
                  {truncated
                    ? `${items.length} shown`
                    : items.every(isCommand)
                      ? counted(items.length)
                      : `${items.length} entries`}
                </span>
              }
            >
              {truncated && <NotShown correlationId={correlationId} counts={notShown} />}
              <Tree items={items} />
            </Section>
            <Story items={items.filter(isCommand)} />
          </div>
        )
      }
    </Answered>
  )
}
