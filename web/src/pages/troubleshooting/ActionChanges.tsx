import type { Action } from '../../api/client.ts'
import { Table } from '../../components/lists/Table.tsx'
import { Section } from '../../components/Page.tsx'
import { At } from '../../components/Time.tsx'
import { ActionBadge } from './action-words.tsx'

/** Who changed an action, when and why, and when its stages began. */
export const ActionChanges = ({ changes = [] }: { readonly changes: Action['changes'] }) =>
  changes.length < 2 ? null : (
    <Section title="History">
      <Table
        label="Changes of this action"
        rows={changes}
        keyOf={({ at, status, stage }) => `${at} ${status} ${stage}`}
        columns={[
          { title: 'At', cell: ({ at }) => <At at={at} /> },
          {
            title: 'Status',
            cell: ({ status, note }) => (
              <>
                <ActionBadge status={status} />
                {note !== null && <span className="block text-xs text-muted wrap-anywhere">{note}</span>}
              </>
            ),
          },
          { title: 'Stage', numeric: true, from: 'sm', cell: ({ stage }) => stage },
          { title: 'Done', numeric: true, from: 'sm', cell: ({ succeeded }) => succeeded },
          { title: 'By', from: 'sm', cell: ({ by }) => <span className="wrap-anywhere">{by ?? 'the action'}</span> },
        ]}
      />
    </Section>
  )
