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
      return `/commands?${new URLSearchParams({ status: 'PENDING', domain: domain ?? '', ...(commandType === null ? {} : { commandType }) })}`
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

const Clause = ({ problem }: { readonly problem: Problem }) => {
  const href = hrefOf(problem)
  if (href === null) return <>{problem.sentence}</>
  return (
    <Link href={href} className="underline decoration-1 underline-offset-2">
      {problem.sentence}
    </Link>
  )
}

/** The sentence with a link for each problem that it names. */
const Sentence = ({ sentence, problems }: Answer<'getStatus'>) => {
  let rest = sentence
  return (
    <>
      {problems.filter(isNamed(sentence)).map(problem => {
        const at = rest.indexOf(problem.sentence)
        const before = rest.slice(0, Math.max(at, 0))
        if (at >= 0) rest = rest.slice(at + problem.sentence.length)
        return (
          <span key={problem.sentence}>
            {before}
            <Clause problem={problem} />
          </span>
        )
      })}
      {rest}
    </>
  )
}

const isNamed =
  (sentence: string) =>
  (problem: Problem): boolean =>
    sentence.includes(problem.sentence)

/** The problems that the sentence has no room for. */
const Others = ({ sentence, problems }: Answer<'getStatus'>) => {
  const others = problems.filter(problem => !isNamed(sentence)(problem))
  if (others.length === 0) return null
  return (
    <details className="pt-1">
      <summary className="cursor-pointer">The other {others.length === 1 ? 'one' : others.length}</summary>
      <ul className="list-disc pl-5">
        {others.map(problem => (
          <li key={problem.sentence}>
            <Clause problem={problem} />
          </li>
        ))}
      </ul>
    </details>
  )
}

/** What is broken, since when, how much, and whether it gets worse. */
export const StatusLine = () => {
  const status = useQuery({ ...busStatusQuery(), refetchInterval: useRefresh(REFRESH_MS) })
  return (
    <Answered query={status} what="state">
      {found => (
        <div
          className={`rounded-md px-4 py-2.5 text-sm font-medium wrap-anywhere ${found.problems.length > 0 ? 'bg-bad-soft text-bad' : 'bg-ok-soft text-ok'}`}
        >
          <p role="status" aria-label="State of the bus">
            <Sentence {...found} />
          </p>
          <Others {...found} />
        </div>
      )}
    </Answered>
  )
}
