interface CanaryFieldProps {
  readonly count: number
  readonly value: number | null
  readonly onChange: (value: number | null) => void
}

const usual = (count: number): number => Math.min(10, Math.max(1, Math.floor(count / 10)))

/** The number of commands to try first; the rest follows only if these succeed. */
export const CanaryField = ({ count, value, onChange }: CanaryFieldProps) => (
  <fieldset className="grid gap-2 rounded-md border border-line p-3">
    <legend className="px-1 font-medium">Canary</legend>
    <label className="flex items-center gap-2">
      <input
        type="checkbox"
        checked={value !== null}
        onChange={event => onChange(event.target.checked ? usual(count) : null)}
      />
      Try a few first
    </label>
    {value !== null && (
      <label className="flex flex-wrap items-center gap-2">
        How many first
        <input
          type="number"
          required
          min={1}
          max={count - 1}
          value={Number.isNaN(value) ? '' : value}
          onChange={event => onChange(event.target.valueAsNumber)}
          className="field max-w-24"
        />
      </label>
    )}
    <p className="text-xs text-muted">The oldest go first. The rest are retried only if all of these complete.</p>
  </fieldset>
)
