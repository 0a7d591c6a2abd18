import type { ActionOption } from '../../../../../src/domain/command/operator-actions.ts'
import { useSessionState } from '../../../api/session.ts'
import { Button } from '../../../components/Button.tsx'
import { TextField } from '../../../components/Field.tsx'
import { JsonEditor, parseJson } from '../../../components/JsonEditor.tsx'
import { ReasonField } from '../../../components/ReasonField.tsx'

/** The value of an option's field: a text, or whether its box is checked. */
export type Entry = string | boolean

export const emptyEntry = ({ kind, usual }: ActionOption): Entry =>
  kind === 'boolean' ? false : kind === 'json' ? JSON.stringify(usual ?? null) : ''

/** An entry's value in a request; undefined: it is left out. Not ok: it is not valid. */
export const readEntry = (option: ActionOption, entry: Entry): { readonly ok: boolean; readonly value?: unknown } => {
  const text = String(entry).trim()
  switch (option.kind) {
    case 'boolean':
      return { ok: true, value: entry === true ? option.usual !== true : undefined }
    case 'json':
      return parseJson(text)
    case 'text':
      return text === '' ? { ok: !option.required && !option.asked } : { ok: true, value: text }
    case 'person':
      return { ok: true, value: text === '' ? null : text }
    case 'tags':
      return { ok: true, value: tagsIn(text) }
    case 'instant':
      return text === '' ? { ok: !option.required } : { ok: true, value: new Date(text).toISOString() }
  }
}

export const tagsIn = (text: string): readonly string[] =>
  text
    .split(',')
    .map(tag => tag.trim())
    .filter(tag => tag !== '')

/** A name, with a button that takes the user's own. */
export const PersonField = ({ label, value, onChange }: Parameters<typeof TextField>[0]) => {
  const me = useSessionState().session?.subject
  return (
    <div className="grid gap-2">
      <TextField label={label} value={value} onChange={onChange} maxLength={200} />
      {me !== undefined && (
        <div>
          <Button look="quiet" onClick={() => onChange(me)}>
            Assign to me
          </Button>
        </div>
      )}
    </div>
  )
}

interface OptionFieldProps {
  readonly option: ActionOption
  /** The number of commands that the action is about. */
  readonly count: number
  readonly value: Entry
  readonly onChange: (value: Entry) => void
}

/** The field of one option in the dialog of an action. */
export const OptionField = ({ option, count, value, onChange }: OptionFieldProps) => {
  const { label = '', hint, asked = false, required = asked } = option
  switch (option.kind) {
    case 'text':
      return (
        <ReasonField
          label={label}
          required={required}
          value={String(value)}
          onChange={onChange}
          {...(option.max === undefined ? {} : { maxLength: option.max })}
        />
      )
    case 'person':
      return <PersonField label={label} value={String(value)} onChange={onChange} />
    case 'tags':
      return (
        <div className="grid gap-1">
          <TextField label={label} value={String(value)} onChange={onChange} />
          {hint && <span className="text-xs text-muted">{count === 1 ? hint.one : hint.many}</span>}
        </div>
      )
    case 'json':
      return <JsonEditor label={label} value={String(value)} onChange={onChange} rows={5} />
    case 'boolean':
      return (
        <label className="flex items-start gap-2">
          <input
            type="checkbox"
            className="mt-1"
            checked={value === true}
            onChange={event => onChange(event.target.checked)}
          />
          <span>
            {label}
            {hint && <span className="block text-xs text-muted">{count === 1 ? hint.one : hint.many}</span>}
          </span>
        </label>
      )
    case 'instant':
      return (
        <label className="grid gap-1 font-medium">
          {label}
          <input
            type="datetime-local"
            required={required}
            value={String(value)}
            onChange={event => onChange(event.target.value)}
            className="field max-w-60 font-normal"
          />
        </label>
      )
  }
}
