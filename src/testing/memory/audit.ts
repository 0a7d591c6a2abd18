import type { FeedEvent } from '../../application/ports/event-feed.ts'
import type { AuditEntry } from '../../application/ports/reading/command-queries.ts'
import { cutOf } from '../../application/shared/cut-json.ts'
import { namesOf } from '../../domain/command/audit-names.ts'
import type { CommandEvent } from '../../domain/command/events.ts'
import { parseCommandStream } from '../../domain/command/names.ts'
import type { Json } from '../../domain/json/json.ts'

const snake = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

/** What the log says, member by member, under names in snake_case; large members are cut. */
const detailsOf = (event: CommandEvent): Json => {
  const { type: _, at: __, actor: ___, ...members } = event
  return Object.fromEntries(
    Object.entries(members as Readonly<Record<string, Json>>).flatMap(([name, value]) => {
      const key = snake(name)
      const cut = value === undefined ? null : cutOf(value)
      if (value === undefined) return []
      return cut === null
        ? [[key, value]]
        : [
            [key, null],
            [`${key}_bytes`, cut.bytes],
            [`${key}_preview`, cut.preview],
          ]
    }),
  )
}

/** The entries of one event. Their names are those of PostgreSQL; their details are the members of the event. */
export const auditOf = (recorded: FeedEvent<CommandEvent>): readonly AuditEntry[] => {
  const { stream, revision, event, position } = recorded
  const key = parseCommandStream(stream)
  if (key === null) return []
  return namesOf(event).map((eventType, part) => ({
    auditId: String(Number(position) * 2 + part),
    ...key,
    eventType,
    ts: part === 0 && event.type === 'CommandCompleted' ? (event.receipt?.at ?? event.at) : event.at,
    actor: event.actor,
    revision,
    details: detailsOf(event),
  }))
}
