import type { ParkedGroup } from '../../../api/client.ts'
import { Badge } from '../../../components/StatusBadge.tsx'
import { Tags } from '../../../components/Tags.tsx'
import { Ago, At } from '../../../components/Time.tsx'

/** What operators have written down about a cause; nothing where nobody has. */
export const CauseCare = ({ care }: { readonly care: ParkedGroup['care'] }) => {
  if (care === null) return null
  const { assignee, tags, notes, lastNote, notedBy, notedAt, investigatedUntil, investigatedBy, investigationReason } =
    care
  return (
    <div className="mt-2 grid gap-1 text-sm">
      {investigatedUntil !== null && (
        <p>
          <Badge tone="idle">Under investigation</Badge>{' '}
          <span className="text-xs text-muted wrap-anywhere">
            until <At at={investigatedUntil} /> by {investigatedBy}
            {investigationReason !== null && `: ${investigationReason}`}
          </span>
        </p>
      )}
      {(assignee !== null || tags.length > 0) && (
        <p className="flex flex-wrap items-center gap-2 text-xs text-muted">
          {assignee !== null && <span className="wrap-anywhere">{assignee} is on it</span>}
          <Tags tags={tags} />
        </p>
      )}
      {lastNote !== null && (
        <p className="text-xs wrap-anywhere">
          “{lastNote}”{' '}
          <span className="text-muted">
            {notedBy}, {notedAt !== null && <Ago at={notedAt} />}
            {notes > 1 && `, and ${notes - 1} more`}
          </span>
        </p>
      )}
    </div>
  )
}
