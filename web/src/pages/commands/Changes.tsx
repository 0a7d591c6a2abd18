import type { Step } from '../../api/client.ts'
import { byteCount } from '../../components/Json.tsx'

type Change = Step['diff'][number]

const signs: Readonly<Record<Change['op'], string>> = { add: '+', remove: '−', replace: '~' }
const words: Readonly<Record<Change['op'], string>> = { add: 'added', remove: 'removed', replace: 'changed' }

const LONGEST = 300
/** A value that was too large for the response is shown by its beginning. */
const short = (value: unknown, bytes?: number, preview?: string): string => {
  if (bytes !== undefined) return `${preview ?? ''} … (${byteCount(bytes)})`
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text
}

interface ChangesProps {
  readonly changes: readonly Change[]
  /** How many more changes there are. */
  readonly omitted?: number | undefined
}

/** The differences, path by path. */
export const Changes = ({ changes, omitted = 0 }: ChangesProps) => {
  if (changes.length === 0) return <p className="text-sm text-muted">No visible changes.</p>
  return (
    <ul className="grid gap-1 font-mono text-xs">
      {changes.map(({ op, path, from, to, ...cut }) => (
        <li key={`${op} ${path}`} className="wrap-anywhere">
          <span aria-hidden className="inline-block w-4 text-muted">
            {signs[op]}
          </span>
          <span className="sr-only">{words[op]} </span>
          <span className="font-semibold">{path}</span>{' '}
          {op !== 'add' && (
            <del className="rounded bg-bad-soft px-1 text-bad no-underline">
              {short(from, cut.fromBytes, cut.fromPreview)}
            </del>
          )}
          {op === 'replace' && <span aria-hidden> → </span>}
          {op !== 'remove' && (
            <ins className="rounded bg-ok-soft px-1 text-ok no-underline">{short(to, cut.toBytes, cut.toPreview)}</ins>
          )}
        </li>
      ))}
      {omitted > 0 && <li className="text-muted">and {omitted} more</li>}
    </ul>
  )
}
