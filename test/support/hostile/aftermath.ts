import { readFile } from 'node:fs/promises'
import type { Pool } from 'pg'
import { replyQueueOf, type Wanted } from './honest-load.ts'
import { honest, hostile } from './people.ts'

/** What handlers did, by key: when, in milliseconds since 1970. */
export const readLedger = async (path: string): Promise<ReadonlyMap<string, readonly number[]>> => {
  const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n').slice(0, -1)
  const done = new Map<string, number[]>()
  for (const line of lines) {
    const { key, at } = JSON.parse(line)
    done.set(key, [...(done.get(key) ?? []), at])
  }
  return done
}

/** Honest users' commands that handlers have not done, or have done more than once. */
export const undoneOf = ({ done: wanted }: Wanted, done: ReadonlyMap<string, readonly number[]>): readonly string[] =>
  [...wanted.keys()].flatMap(key =>
    done.get(key)?.length === 1 ? [] : [`${key}: ${done.get(key)?.length ?? 0} times`],
  )

/** What the log says of commands that handlers have not done. */
export const storyOf = async (pool: Pool, undone: readonly string[]): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ story: string }>(
    `select c.domain || '/' || c.command_id || ' ' || c.status || ' ' || string_agg(e.type || ' by ' || (e.meta ->> 'actor'), ', ' order by e.revision) as story
     from command_bus_command c join command_bus_event e on e.stream = 'command-' || c.domain || '-' || c.command_id
     where c.domain || '/' || c.command_id = any ($1::text[]) group by c.domain, c.command_id, c.status`,
    [undone.map(key => key.replace(/:.*/, ''))],
  )
  return [...undone, ...rows.map(({ story }) => story)]
}

/** The longest time from a request to its handler, in milliseconds. */
export const longestWait = ({ done: wanted }: Wanted, done: ReadonlyMap<string, readonly number[]>): number =>
  Math.max(...[...wanted].map(([key, at]) => (done.get(key)?.[0] ?? Number.POSITIVE_INFINITY) - at))

/** Events by an actor without a right to them: a hostile user on others' streams, or anyone else on honest users' ones. */
export const trespasses = async (pool: Pool): Promise<readonly string[]> => {
  const tenants = Object.values(hostile).map(({ subject, tenant }) => [subject, tenant])
  const { rows } = await pool.query<{ stream: string; type: string; actor: string; tenant: string | null }>(
    `select e.stream, e.type, e.meta ->> 'actor' as actor, e.meta #>> '{context,tenantId}' as tenant
     from command_bus_event e left join jsonb_each_text($1::jsonb) h on h.key = e.meta ->> 'actor'
     where case when h.key is not null then h.value is distinct from e.meta #>> '{context,tenantId}'
       else coalesce(e.meta #>> '{context,tenantId}', '') not in ('a', 'm') and e.meta ->> 'actor' <> all ($2::text[])
         and e.meta ->> 'actor' !~ '^(worker|system|workflow-runs$)' end
     limit 20`,
    [JSON.stringify(Object.fromEntries(tenants)), Object.values(honest).map(({ subject }) => subject)],
  )
  return rows.map(({ stream, type, actor, tenant }) => `${actor} made ${type} of ${stream} (tenant ${tenant})`)
}

/** Commands in the honest users' tenants that those did not send. */
export const foisted = async (pool: Pool, { done }: Wanted): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ key: string }>(
    `select domain || '/' || command_id as key from command_bus_command
     where domain = 'shop' and (tenant_id is null or tenant_id = 'b')`,
  )
  return rows.map(({ key }) => key).filter(key => !done.has(key))
}

/** Replies on the honest users' queues that are missing, doubled, or meant for others. */
export const wrongReplies = async (pool: Pool, { replies }: Wanted): Promise<readonly string[]> => {
  const wrong: string[] = []
  for (const who of ['alice', 'erin'] as const) {
    const queue = replyQueueOf[who]
    const { rows } = await pool.query<{ id: string }>(`select message ->> 'command_id' as id from pgmq.q_${queue}`)
    const found = rows.map(({ id }) => id)
    for (const id of found) if (!replies[who].has(id)) wrong.push(`${queue} has a reply to ${id}`)
    for (const id of replies[who]) {
      const times = found.filter(one => one === id).length
      if (times !== 1) wrong.push(`${queue} has ${times} replies to ${id}`)
    }
  }
  return wrong
}
