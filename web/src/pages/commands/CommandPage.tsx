import { useQuery } from '@tanstack/react-query'
import type { CommandStatus } from '../../api/client.ts'
import { statusOf } from '../../api/problem.ts'
import { attemptsQuery, auditQuery, commandQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { Link, useSearch } from '../../app/router.tsx'
import { ErrorDisplay } from '../../components/ErrorDisplay.tsx'
import { CopyButton, Json } from '../../components/Json.tsx'
import { SelectFilter } from '../../components/lists/Filters.tsx'
import { NotFound } from '../../components/NotFound.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { StatusBadge } from '../../components/StatusBadge.tsx'
import { Answered } from '../../components/states.tsx'
import { ParkedNeighbors } from '../troubleshooting/ParkedNeighbors.tsx'
import { MissingWorkerOf } from '../workers/MissingWorkers.tsx'
import { Attempts } from './Attempts.tsx'
import { CommandActions } from './CommandActions.tsx'
import { CommandFacts } from './CommandFacts.tsx'
import { Notes } from './Notes.tsx'
import { Replies } from './Replies.tsx'
import { eventOptions, Timeline } from './Timeline.tsx'
import { TimeTravel } from './TimeTravel.tsx'
import { WaitingBanner } from './waiting/Waiting.tsx'

/** Why there is none: only a completed command has a result. */
const noResult: Readonly<Record<CommandStatus, string>> = {
  PENDING: 'No result yet.',
  IN_PROGRESS: 'No result yet.',
  IN_TROUBLESHOOTING_QUEUE: 'No result yet: the command waits for the decision of an operator.',
  COMPLETED: '',
  FAILED: 'No result: the command failed, and that is final.',
  CANCELED: 'No result: the command was canceled, and that is final.',
}

interface CommandPageProps {
  readonly domain: string
  readonly commandId: string
}

export const CommandPage = ({ domain, commandId }: CommandPageProps) => {
  const may = usePermissions()
  const event = useSearch().get('event')
  const command = useQuery(commandQuery(domain, commandId))
  const audit = useQuery({ ...auditQuery(domain, commandId), enabled: may('audit', domain) })
  const attempts = useQuery({ ...attemptsQuery(domain, commandId), enabled: may('audit', domain) })
  const found = command.data
  if (statusOf(command.error) === 404) {
    return (
      <NotFound
        title="Unknown command"
        why={`Domain ${domain} has no command ${commandId}`}
        href={`/search?q=${encodeURIComponent(commandId)}`}
        instead="Search all domains"
      >
        <p>It may belong to another domain, or to a tenant that your token does not see.</p>
      </NotFound>
    )
  }
  return (
    <Page
      title={found?.commandType ?? 'Command'}
      intro={
        <>
          <span className="font-mono text-xs wrap-anywhere">
            {domain} · {commandId}
          </span>{' '}
          <CopyButton text={commandId} what="command id" />
        </>
      }
      aside={
        found && (
          <>
            <StatusBadge status={found.status} />
            <CommandActions command={found} />
          </>
        )
      }
    >
      <ParkedNeighbors domain={domain} commandId={commandId} {...(found && { status: found.status })} />
      <Answered query={command} what="the command">
        {command => (
          <>
            {command.status === 'PENDING' && <MissingWorkerOf domain={domain} commandType={command.commandType} />}
            <WaitingBanner command={command} />
            {command.lastErrorMsg !== null && (
              <ErrorDisplay
                severity={command.status === 'COMPLETED' ? 'info' : command.status === 'FAILED' ? 'error' : 'warning'}
                message={`${command.status === 'COMPLETED' ? 'Before it completed: ' : ''}${command.lastErrorCode ?? command.lastErrorType}: ${command.lastErrorMsg}`}
              />
            )}
            <div className="grid items-start gap-4 xl:grid-cols-[3fr_2fr]">
              <div className="grid min-w-0 gap-4">
                <Section title="Payload">
                  <div className="p-3">
                    <Json value={command.data} label="Payload" />
                  </div>
                </Section>
                <Section title="Result">
                  <div className="p-3">
                    {command.status === 'COMPLETED' ? (
                      <Json value={command.result} label="Result" />
                    ) : (
                      <p className="text-sm text-muted">{noResult[command.status]}</p>
                    )}
                  </div>
                </Section>
                {may('audit', domain) && (
                  <Section title="Attempts">
                    <Answered query={attempts} what="the attempts">
                      {({ items }) => <Attempts items={items} />}
                    </Answered>
                  </Section>
                )}
                {may('audit', domain) && <TimeTravel domain={domain} commandId={commandId} />}
                <Section title="Timeline">
                  {may('audit', domain) ? (
                    <Answered query={audit} what="the timeline">
                      {({ items }) => (
                        <>
                          {items.length > 1 && (
                            <div className="max-w-72 px-4 pt-3">
                              <SelectFilter name="event" label="Event" options={eventOptions(items)} />
                            </div>
                          )}
                          <Timeline items={items} only={event} />
                        </>
                      )}
                    </Answered>
                  ) : (
                    <p className="p-4 text-sm text-muted">
                      The timeline is for auditors and operators; your token has neither role.
                    </p>
                  )}
                </Section>
              </div>
              <div className="grid min-w-0 gap-4">
                <Section
                  title="Facts"
                  aside={
                    may('audit', domain) && (
                      <Link
                        href={`/audit?correlationId=${encodeURIComponent(command.correlationId)}`}
                        className="text-xs text-accent hover:underline"
                      >
                        Causal view
                      </Link>
                    )
                  }
                >
                  <CommandFacts command={command} audit={audit.data?.items} />
                </Section>
                <Notes audit={audit.data?.items} />
                <Section title="Reply">
                  <Replies command={command} audit={audit.data?.items} />
                </Section>
              </div>
            </div>
          </>
        )}
      </Answered>
    </Page>
  )
}
