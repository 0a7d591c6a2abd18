import type { AuditEntry } from '../../api/client.ts'
import { Section } from '../../components/Page.tsx'
import { At } from '../../components/Time.tsx'

/** A text of more than 4 KiB has only its beginning in the audit; the history has it whole. */
const textOf = (details: unknown): string => {
  const member = (name: string): unknown =>
    typeof details === 'object' && details !== null ? Reflect.get(details, name) : undefined
  return String(member('text') ?? member('text_preview') ?? '')
}

/** What operators have noted about a command, newest first; nothing where there is no note. */
export const Notes = ({ audit }: { readonly audit: readonly AuditEntry[] | undefined }) => {
  const notes = (audit ?? []).filter(({ eventType }) => eventType === 'OPERATOR_NOTE').toReversed()
  if (notes.length === 0) return null
  return (
    <Section title="Notes">
      <ol className="grid gap-3 p-4 text-sm">
        {notes.map(({ auditId, actor, ts, details }) => (
          <li key={auditId}>
            <p className="whitespace-pre-wrap wrap-anywhere">{textOf(details)}</p>
            <p className="text-xs text-muted">
              {actor}, <At at={ts} />
            </p>
          </li>
        ))}
      </ol>
    </Section>
  )
}
