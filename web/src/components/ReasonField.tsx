interface ReasonFieldProps {
  readonly label?: string
  readonly required?: boolean
  readonly maxLength?: number
  readonly value: string
  readonly onChange: (value: string) => void
}

/** Why an operator does something, for others to read. */
export const ReasonField = ({
  label = 'Reason (required)',
  required = true,
  maxLength = 1_000,
  value,
  onChange,
}: ReasonFieldProps) => (
  <label className="grid gap-1 font-medium">
    {label}
    <textarea
      required={required}
      rows={3}
      maxLength={maxLength}
      value={value}
      onChange={event => onChange(event.target.value)}
      className="field font-normal"
    />
  </label>
)
