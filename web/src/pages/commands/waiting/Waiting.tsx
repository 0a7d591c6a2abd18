import { useQuery } from '@tanstack/react-query'
import { Hourglass } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Command, CommandDetail, Pause } from '../../../api/client.ts'
import { pausesQuery } from '../../../api/queries.ts'
import { missingWorkersQuery } from '../../../api/watching-queries.ts'
import { commandPath, Link } from '../../../app/router.tsx'
import { AtAgo, useNow } from '../../../components/Time.tsx'
import { pauseOf, type Unhandled, whyPending } from './why.ts'

/** Loaded once for all that ask. */
const usePauses = (): readonly Pause[] =>
  useQuery({ ...pausesQuery(), refetchInterval: false, staleTime: 10_000 }).data?.items ?? []

const useUnhandled = (domain?: string): readonly Unhandled[] => useQuery(missingWorkersQuery(domain)).data?.items ?? []

/** In a list: why a pending command is not running yet. */
const Waits = ({ command }: { readonly command: Command }) => {
  const { short } = whyPending(command, {
    pauses: usePauses(),
    unhandled: useUnhandled(),
    inLane: command.lane !== null,
    now: useNow(),
  })
  return <span className="block text-xs text-muted xl:inline xl:shrink-0">{short}</span>
}

export const WaitsFor = ({ command }: { readonly command: Command }) =>
  command.status === 'PENDING' ? <Waits command={command} /> : null

const InLane = ({ command }: { readonly command: CommandDetail }) => {
  const { domain, lane, place, waitsFor } = command
  return (
    <>
      Waits in lane{' '}
      <Link href={`/lanes?domain=${encodeURIComponent(domain)}`} className="underline">
        {lane}
      </Link>
      , place {place}
      {waitsFor && (
        <>
          , behind{' '}
          <Link href={commandPath(domain, waitsFor)} className="underline">
            another command
          </Link>
        </>
      )}
      .
    </>
  )
}

const Why = ({ command }: { readonly command: CommandDetail }) => {
  const pauses = usePauses()
  const unhandled = useUnhandled(command.domain)
  const why = whyPending(command, { pauses, unhandled, inLane: command.place !== undefined, now: useNow() })
  const pause = pauseOf(command, pauses)
  // said by the line above, which is red
  if (why.kind === 'noWorker') return null
  const sentence = (): ReactNode => {
    switch (why.kind) {
      case 'paused':
        return `Paused by ${pause?.pausedBy}: ${pause?.reason}`
      case 'retry':
        return (
          <>
            Failed, and waits for its next attempt: {why.at && <AtAgo at={why.at} />}. Attempt {command.attempts + 1} of{' '}
            {command.maxAttempts}.
          </>
        )
      case 'scheduled':
        return <>Waits for its time: {why.at && <AtAgo at={why.at} />}</>
      case 'lane':
        return <InLane command={command} />
      case 'noWorker':
      case 'ready':
        return 'Ready: the next free worker of its domain takes it.'
    }
  }
  return (
    <p
      role="note"
      data-testid="waiting"
      className="flex items-center gap-2 rounded-md bg-info-soft px-3 py-2 text-sm text-info wrap-anywhere"
    >
      <Hourglass aria-hidden className="size-4 shrink-0" />
      <span>{sentence()}</span>
    </p>
  )
}

/** On top of a pending command: why it is not running yet. */
export const WaitingBanner = ({ command }: { readonly command: CommandDetail }) =>
  command.status === 'PENDING' ? <Why command={command} /> : null
