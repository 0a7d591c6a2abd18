import { useId } from 'react'
import { parseJsonText } from '../../../src/domain/json/json-text.ts'

export type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string }

/** Where in the text a position is; people count from 1. */
const placeOf = (text: string, position: number): string => {
  const before = text.slice(0, position).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

export const parseJson = (text: string): Parsed => {
  if (text.trim() === '') return { ok: false, message: 'Empty: write a JSON value, or null' }
  try {
    const parsed = parseJsonText(text)
    return parsed._tag === 'Right'
      ? { ok: true, value: parsed.right }
      : { ok: false, message: `${parsed.left.path || 'The value'} ${parsed.left.message}` }
  } catch (error) {
    const message = error instanceof Error ? error.message : 'This is not valid JSON'
    const [, position] = /at position (\d+)/.exec(message) ?? []
    const reason = message.replace(/ in JSON at position.*$| \(line.*$|, "[\s\S]*$/, '')
    return { ok: false, message: position === undefined ? reason : `${reason} (${placeOf(text, Number(position))})` }
  }
}

interface JsonEditorProps {
  readonly label: string
  readonly value: string
  readonly onChange: (text: string) => void
  readonly rows?: number
}

/** A field for JSON that shows, while the user types, what is wrong. */
export const JsonEditor = ({ label, value, onChange, rows = 12 }: JsonEditorProps) => {
  const help = useId()
  const parsed = parseJson(value)
  return (
    <div className="grid gap-1">
      <label className="grid gap-1 font-medium">
        {label}
        <textarea
          value={value}
          rows={rows}
          spellCheck={false}
          autoComplete="off"
          aria-invalid={!parsed.ok}
          aria-describedby={help}
          onChange={event => onChange(event.target.value)}
          className="field resize-y font-mono text-xs leading-relaxed font-normal"
        />
      </label>
      <p id={help} aria-live="polite" className={`text-xs ${parsed.ok ? 'text-muted' : 'text-bad'}`}>
        {parsed.ok ? 'Valid JSON' : parsed.message}
      </p>
    </div>
  )
}
