import { TextField } from '../../../components/Field.tsx'
import { type Pace, timeZone, usualCanary } from './pace.ts'

interface PaceFieldsProps {
  readonly count: number
  /** Whether some can be tried first. */
  readonly staged: boolean
  readonly value: Pace
  readonly onChange: (value: Pace) => void
}

/** Whether some are tried first, and how fast and when the action goes. */
export const PaceFields = ({ count, staged, value, onChange }: PaceFieldsProps) => {
  const set = (change: Partial<Pace>): void => onChange({ ...value, ...change })
  return (
    <>
      {staged && (
        <fieldset className="grid gap-2 rounded-md border border-line p-3">
          <legend className="px-1 font-medium">A few first</legend>
          <label className="flex items-center gap-2">
            <input
              type="checkbox"
              checked={value.inStages}
              onChange={event => set({ inStages: event.target.checked, canary: null })}
            />
            In stages
          </label>
          {value.inStages && (
            <div className="grid gap-2 sm:grid-cols-2">
              <TextField label="Stages in percent" value={value.stages} onChange={stages => set({ stages })} />
              <TextField
                label="Stop when % of a stage fail again"
                value={value.stopShare}
                onChange={stopShare => set({ stopShare })}
              />
            </div>
          )}
          <label className="flex items-center gap-2">
            <input
              type="checkbox"
              checked={value.canary !== null}
              onChange={event => set({ canary: event.target.checked ? usualCanary(count) : null, inStages: false })}
            />
            Try a few first
          </label>
          {value.canary !== null && (
            <label className="flex flex-wrap items-center gap-2">
              How many first
              <input
                type="number"
                required
                min={1}
                max={count - 1}
                value={Number.isNaN(value.canary) ? '' : value.canary}
                onChange={event => set({ canary: event.target.valueAsNumber })}
                className="field max-w-24"
              />
            </label>
          )}
          <p className="text-xs text-muted">
            The oldest go first. The next follow when all of these have ended; after a canary only if all have
            completed.
          </p>
        </fieldset>
      )}
      <details className="rounded-md border border-line p-3">
        <summary className="cursor-pointer font-medium">Rate and hours</summary>
        <div className="mt-2 grid gap-2 sm:grid-cols-3">
          <TextField label="Commands a second" value={value.rate} onChange={rate => set({ rate })} />
          {(['from', 'to'] as const).map(name => (
            <label key={name} className="grid gap-1 font-medium">
              {name === 'from' ? 'Not before' : 'Not after'}
              <input
                type="time"
                value={value[name]}
                onChange={event => set({ [name]: event.target.value })}
                className="field font-normal"
              />
            </label>
          ))}
        </div>
        <p className="mt-1 text-xs text-muted">Empty: no limit. Hours are of {timeZone()}.</p>
      </details>
    </>
  )
}
