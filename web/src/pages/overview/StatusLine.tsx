import { useQuery } from '@tanstack/react-query'
import type { Answer } from '../../api/client.ts'
import { busStatusQuery } from '../../api/watching-queries.ts'
import { useRefresh } from '../../app/LiveProvider.tsx'
import { Link } from '../../app/router.tsx'
import { Answered } from '../../components/states.tsx'

const REFRESH_MS = 5_000

type Problem = Answer<'getStatus'>['problems'][number]

/** Where to look. */
const hrefOf = ({ kind, domain, commandType, queue }: Problem): string | null => {
  switch (kind) {
    case 'noWorker':
      return `/commands?${new URLSearchParams({ status: 'PENDING', domain: domain ?? '' })}`
    case 'unreadQueue':
      return `/queues/${encodeURIComponent(queue ?? '')}`
    case 'figuresLate':
      return null
    default:
      return commandType === null
        ? `/types?${new URLSearchParams({ domain: domain ?? '' })}`
        : `/types/${encodeURIComponent(domain ?? '')}/${encodeURIComponent(commandType)}`
  }
}

/** The sentence with a link for each problem that it names. */
const Sentence = ({ sentence, problems }: Answer<'getStatus'>) => {
  const parts = problems.filter(problem => sentence.includes(problem.sentence))
  let rest = sentence
  return (
    <>
      {parts.map(problem => {
        const at = rest.indexOf(problem.sentence)
        const before = rest.slice(0, Math.max(at, 0))
        if (at >= 0) rest = rest.slice(at + problem.sentence.length)
        const href = hrefOf(problem)
        return (
          <span key={problem.sentence}>
            {before}
            {href === null ? (
              problem.sentence
            ) : (
              <Link href={href} className="underline decoration-1 underline-offset-2">
                {problem.sentence}
              </Link>
            )}
          </span>
        )
      })}
      {rest}
    </>
  )
}

/** What is broken, since when, how much, and whether it gets worse. */
export const StatusLine = () => {
  const status = useQuery({ ...busStatusQuery(), refetchInterval: useRefresh(REFRESH_MS) })
  return (
    <Answered query={status} what="state">
      {found => (
        <p
          role="status"
          aria-label="State of the bus"
          className={`rounded-md px-4 py-2.5 text-sm font-medium wrap-anywhere ${found.problems.length > 0 ? 'bg-bad-soft text-bad' : 'bg-ok-soft text-ok'}`}
        >
          <Sentence {...found} />
        </p>
      )}
    </Answered>
  )
}
