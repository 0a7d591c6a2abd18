import type { ClientBase } from 'pg'
import { maskSecrets } from '../../../application/shared/mask-secrets.ts'

type Querier = Pick<ClientBase, 'query'>

/** Commands sent in transactions that the log refuses. Each is tried again from time to time. */
export interface SetAside {
  readonly count: number
  /** The stream that has waited longest; empty: there is none. */
  readonly stream: string
  readonly refusal: string
}

export const nothingSetAside: SetAside = { count: 0, stream: '', refusal: '' }

export const readSetAside = async (client: Querier): Promise<SetAside> => {
  const { rows } = await client.query<SetAside>(
    `select count(*) over ()::int as count, stream, coalesce(refusal, '') as refusal
     from command_bus_intent where refused_at is not null and appended_at is null order by intent_id limit 1`,
  )
  return rows[0] ?? nothingSetAside
}

export interface Refused {
  readonly intentId: string
  readonly refusal: string
}

export const setAside = async (client: Querier, refused: readonly Refused[]): Promise<void> => {
  await client.query(
    `update command_bus_intent i set refused_at = clock_timestamp(), refusal = x.refusal
     from unnest($1::bigint[], $2::text[]) x(intent_id, refusal) where i.intent_id = x.intent_id`,
    [refused.map(({ intentId }) => intentId), refused.map(({ refusal }) => refusal)],
  )
}

/** The reasons for health, with what to do. */
export const setAsideReasons = ({ count, stream, refusal }: SetAside): readonly string[] =>
  count === 0
    ? []
    : [
        `${count} commands sent in transactions wait, as EventStoreDB refuses them; the first is '${stream}' ` +
          `(${maskSecrets(refusal)}). They are tried again every minute; to give one up: ` +
          `delete from command_bus_intent where stream = '${stream}'`,
      ]
