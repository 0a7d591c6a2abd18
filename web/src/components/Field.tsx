interface FieldProps<Value> {
  readonly label: string
  readonly value: Value
  readonly onChange: (value: Value) => void
  readonly required?: boolean
}

export const TextField = ({ label, onChange, ...input }: FieldProps<string> & { readonly maxLength?: number }) => (
  <label className="grid gap-1 font-medium">
    {label}
    <input className="field font-normal" onChange={event => onChange(event.target.value)} {...input} />
  </label>
)

/** A whole number; NaN while the field is empty. */
export const NumberField = ({
  label,
  value,
  onChange,
  ...input
}: FieldProps<number> & { readonly min: number; readonly max?: number }) => (
  <label className="grid max-w-48 gap-1 font-medium">
    {label}
    <input
      type="number"
      className="field font-normal"
      value={Number.isNaN(value) ? '' : value}
      onChange={event => onChange(event.target.valueAsNumber)}
      required
      {...input}
    />
  </label>
)
