import { ApiProblem } from '../../../api/client.ts'
import { explain } from '../../../api/problem.ts'
import { ErrorDisplay } from '../../../components/ErrorDisplay.tsx'

/** The command's status has changed since the dialog was opened. */
const RACE = /not in troubleshooting|only while it is PENDING|there is no attempt to end/

/** Says why an action was refused, and which part of the request was wrong. */
export const Refusal = ({ error }: { readonly error: unknown }) => {
  if (error === null) return null
  if (error instanceof ApiProblem && error.code === 'INVALID_OPERATION' && RACE.test(error.detail)) {
    return (
      <ErrorDisplay
        severity="info"
        message={`Somebody was faster: ${error.detail}. What to do: nothing here; close this and look at its timeline.`}
      />
    )
  }
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
