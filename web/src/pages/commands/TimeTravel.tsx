import { useQuery } from '@tanstack/react-query'
import { StepBack, StepForward } from 'lucide-react'
import { useState } from 'react'
import type { Step } from '../../api/client.ts'
import { statusOf } from '../../api/problem.ts'
import { historyAtQuery, historyQuery } from '../../api/queries.ts'
import { useSearch } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { Json } from '../../components/Json.tsx'
import { Section } from '../../components/Page.tsx'
import { StatusBadge } from '../../components/StatusBadge.tsx'
import { Answered } from '../../components/states.tsx'
import { At, duration } from '../../components/Time.tsx'
import { Changes } from './Changes.tsx'
import { eventWords } from './Timeline.tsx'

interface TimeTravelProps {
  readonly domain: string
  readonly commandId: string
}

interface MomentProps {
  readonly step: Step
  readonly command: TimeTravelProps
}

/** The state after an event. Steps have no large values: these are loaded when it is opened. */
const StateThen = ({ step, command }: MomentProps) => {
  const [open, setOpen] = useState(false)
  const { dataBytes, resultBytes } = step.state
  const isCut = dataBytes !== undefined || resultBytes !== undefined
  const whole = useQuery({
    ...historyAtQuery(command.domain, command.commandId, step.revision),
    enabled: isCut && open,
  })
  return (
    <details onToggle={event => setOpen(event.currentTarget.open)}>
      <summary className="text-xs text-muted">Full state at this point</summary>
      <div className="mt-1">
        {isCut ? (
          <Answered query={whole} what="the state">
            {({ state }) => <Json value={state} label="State at this event" />}
          </Answered>
        ) : (
          <Json value={step.state} label="State at this event" />
        )}
      </div>
    </details>
  )
}

const Moment = ({ step, of, command }: MomentProps & { readonly of: number }) => (
  <div className="grid gap-3" data-testid="moment">
    <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm">
      <StatusBadge status={step.state.status} />
      <strong>{step.names.map(eventWords).join(', ')}</strong>
      <span className="text-xs text-muted">
        event {step.revision + 1} of {of} · <At at={step.at} /> · by {step.actor}
        {step.sinceLastMs !== null && ` · +${duration(step.sinceLastMs / 1000)}`}
      </span>
    </p>
    <div>
      <h3 className="mb-1 text-xs font-semibold text-muted">What the event changed</h3>
      <Changes changes={step.diff} omitted={step.diffOmitted} />
    </div>
    <StateThen key={step.revision} step={step} command={command} />
  </div>
)

/** The command as it was after each event. The moment is part of the address, so that a link shows it to others. */
export const TimeTravel = ({ domain, commandId }: TimeTravelProps) => {
  const search = useSearch()
  const history = useQuery(historyQuery(domain, commandId))
  // a service that keeps no history has no such route
  if (statusOf(history.error) === 404) return null
  return (
    <Section title="Time travel">
      <Answered query={history} what="the history">
        {({ items }) => {
          const last = items.length - 1
          const asked = Number(search.get('at') ?? last)
          const at = Number.isInteger(asked) ? Math.min(Math.max(asked, 0), last) : last
          const step = items[at]
          const go = (to: number): void =>
            search.set({ at: to >= last ? null : String(Math.max(to, 0)) }, { replace: true })
          if (step === undefined) return <p className="p-4 text-sm text-muted">Nothing has happened yet.</p>
          return (
            <div className="grid gap-4 p-4">
              <div className="flex items-center gap-2">
                <Button
                  aria-label="Previous event"
                  disabled={at === 0}
                  onClick={() => go(at - 1)}
                  icon={<StepBack aria-hidden className="size-4" />}
                />
                <input
                  type="range"
                  min={0}
                  max={last}
                  value={at}
                  aria-label="Moment in the life of the command"
                  aria-valuetext={`Event ${step.revision + 1}: ${step.names.map(eventWords).join(', ')}`}
                  onChange={event => go(event.target.valueAsNumber)}
                  className="w-full accent-accent"
                />
                <Button
                  aria-label="Next event"
                  disabled={at === last}
                  onClick={() => go(at + 1)}
                  icon={<StepForward aria-hidden className="size-4" />}
                />
              </div>
              <Moment step={step} of={items.length} command={{ domain, commandId }} />
            </div>
          )
        }}
      </Answered>
    </Section>
  )
}
