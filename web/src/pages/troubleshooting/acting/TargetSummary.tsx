import { Mono } from '../../../components/Json.tsx'
import { counted, filterWords, howMany, type Target } from './target.ts'

const SHOWN = 5

/** Says how many commands an action is about, and which. */
export const TargetSummary = ({ target }: { readonly target: Target }) => {
  if (target.kind === 'matching') {
    return (
      <p data-testid="target">
        <strong>{counted(target.total)}</strong>: {filterWords(target.filter)}. Commands that arrive later are not
        included.
      </p>
    )
  }
  const commands = target.kind === 'one' ? [target.command] : target.commands
  return (
    <div data-testid="target">
      <p>
        <strong>{counted(howMany(target))}</strong>:
      </p>
      <ul className="mt-1 grid gap-0.5">
        {commands.slice(0, SHOWN).map(({ domain, commandId, commandType }) => (
          <li key={`${domain}/${commandId}`} className="wrap-anywhere">
            {commandType} in {domain} <Mono>{commandId}</Mono>
          </li>
        ))}
      </ul>
      {commands.length > SHOWN && <p className="text-muted">and {counted(commands.length - SHOWN)} more</p>}
    </div>
  )
}
