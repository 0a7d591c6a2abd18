import type { Action } from '../../../api/client.ts'
import { Section } from '../../../components/Page.tsx'
import { At } from '../../../components/Time.tsx'
import { ActionBadge } from './action-words.tsx'

/** Who changed an action, when and why, and when its stages began. */
export const ActionChanges = ({ changes = [] }: { readonly changes: Action['changes'] }) =>
  changes.length < 2 ? null : (
    <Section title="History">
      <ol className="grid gap-2 p-4 text-sm">
        {changes.map(({ at, status, stage, succeeded, note, by }) => (
          <li key={`${at} ${status} ${stage}`} className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5">
            <At at={at} />
            <ActionBadge status={status} />
            <span className="wrap-anywhere">
              stage {stage}, {succeeded} done, {note ?? `by ${by ?? 'the action'}`}
            </span>
          </li>
        ))}
      </ol>
    </Section>
  )
