import { ApiProblem } from '../../../api/client.ts'
import { explain, isOffline } from '../../../api/problem.ts'
import { ErrorDisplay } from '../../../components/ErrorDisplay.tsx'

/** The command's status has changed since the dialog was opened. */
const RACE = /not in troubleshooting|only while it is PENDING|there is no attempt to end/

const isRace = (error: unknown): error is ApiProblem =>
  error instanceof ApiProblem && error.code === 'INVALID_OPERATION' && RACE.test(error.detail)

/** There is nothing left to act on: to ask once more cannot help. */
export const isGone = (error: unknown): boolean =>
  isRace(error) || (error instanceof ApiProblem && error.code === 'COMMAND_NOT_FOUND')

const NO_ANSWER =
  'The server does not answer, so it is not known whether this was done. It is not sent again by itself. What to do: when the server is back, look whether something has changed before you confirm again.'

interface RefusalProps {
  readonly error: unknown
  /** The request would have changed something. */
  readonly sent?: boolean
}

/** Says why an action was refused, and which part of the request was wrong. */
export const Refusal = ({ error, sent = false }: RefusalProps) => {
  if (error === null) return null
  if (isRace(error)) {
    return (
      <ErrorDisplay
        severity="info"
        message={`Somebody was faster: ${error.detail}. What to do: nothing here; close this and look at its timeline.`}
      />
    )
  }
  if (sent && isOffline(error)) return <ErrorDisplay message={NO_ANSWER} />
  const faults = error instanceof ApiProblem ? error.errors : []
  return (
    <div className="grid gap-2">
      <ErrorDisplay message={explain(error)} />
      {faults.length > 0 && (
        <ul className="text-sm text-bad">
          {faults.map(({ path, message }) => (
            <li key={path + message}>
              <code className="font-mono">{path}</code>: {message}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
