import pg from 'pg'

/** A command whose life so far is copied. */
export type Original = { readonly domain: string; readonly commandId: string }

/** So many copies, spread evenly over a time before the original's own, in milliseconds: the first is the oldest. */
export type Span = { readonly count: number; readonly oldestMs: number; readonly newestMs: number }

export type Copies = {
  readonly count: number
  /** The first copy is as much older than the original, the last one nearly as old; the others lie between. */
  readonly spreadMs: number
  /** Called after each statement's worth of copies, with how many there are by then. */
  readonly onProgress?: (copies: number) => Promise<void> | void
}

/** So many at once, in one transaction. */
export const COPIES_AT_ONCE = 50_000

const INSTANT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\b/g
const literal = pg.escapeLiteral

/** Time-ordered, as the bus makes its ids (UUIDv7). */
const idAt = (instant: string): string => `
  encode(set_byte(b, 6, get_byte(b, 6) & 15 | 112), 'hex')::uuid
  from (select overlay(uuid_send(gen_random_uuid()) placing
    substring(int8send((extract(epoch from ${instant}) * 1000)::bigint) from 3) from 1 for 6) as b) r`

const columnsOf = async (client: pg.Client, table: string) => {
  const { rows } = await client.query<{ name: string; instant: boolean }>(
    `select attname as name, atttypid = 'timestamptz'::regtype as instant from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [table],
  )
  return rows
}

/** Each column of a table as a copy has it: what `changed` says, instants earlier, and all else as in the original `o`. */
const copied = async (client: pg.Client, table: string, changed: Readonly<Record<string, string | null>>) => {
  const columns = (await columnsOf(client, table)).filter(({ name }) => changed[name] !== null)
  return {
    names: columns.map(({ name }) => name).join(', '),
    values: columns
      .map(({ name, instant }) => `${changed[name] ?? (instant ? `o.${name} + c.shift` : `o.${name}`)} as ${name}`)
      .join(', '),
  }
}

/**
 * Copies a command many times in one transaction: its events with a chain of hashes of their own, its row, and its message if
 * there is one. What comes out is a history as the bus writes it, with other ids and other instants.
 */
export const createCopier = async (
  client: pg.Client,
  { domain, commandId }: Original,
): Promise<(span: Span) => Promise<void>> => {
  const stream = `command-${domain}-${commandId}`
  const queue = `pgmq.${client.escapeIdentifier(`q_${domain}__commands`)}`
  const archive = `pgmq.${client.escapeIdentifier(`a_${domain}__commands`)}`
  const text = await client.query<{ life: string; correlation: string; message: string }>(
    `select string_agg(e.data::text || e.meta::text, '') as life, c.correlation_id as correlation, c.msg_id::text as message
     from command_bus_event e join command_bus_command c on c.domain = $2 and c.command_id = $3
     where e.stream = $1 group by c.correlation_id, c.msg_id`,
    [stream, domain, commandId],
  )
  const original = text.rows[0]
  if (original === undefined) throw new Error(`there is no command ${commandId} in ${domain}`)

  // the usual one is the command's own id
  const hasOwn = original.correlation === commandId
  const replacements: readonly (readonly [string, string])[] = [
    [commandId, 'c.command_id::text'],
    ...(hasOwn ? [] : [[original.correlation, 'c.correlation_id::text'] as const]),
    [`"msgId": "${original.message}"`, `'"msgId": "' || c.msg_id || '"'`],
    ...[...new Set(original.life.match(INSTANT))].map(
      instant =>
        [
          instant,
          `to_char((${literal(instant)}::timestamptz + c.shift) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
        ] as const,
    ),
  ]
  const json = (column: string): string => {
    const replaced = replacements.reduce(
      (sql, [old, now]) => `replace(${sql}, ${literal(old)}, ${now})`,
      `${column}::text`,
    )
    return `(${replaced})::jsonb`
  }

  const events = await copied(client, 'command_bus_event', {
    ...{ position: null, xid: null, hash: null, id: 'gen_random_uuid()' },
    ...{ stream: `command_bus_command_stream(${literal(domain)}, c.command_id) collate "C"` },
    ...{ data: json('o.data'), meta: json('o.meta'), msg_id: 'case when o.msg_id is not null then c.msg_id end' },
  })
  const rows = await copied(client, 'command_bus_command', {
    ...{ command_id: 'c.command_id', msg_id: 'case when o.msg_id is not null then c.msg_id end' },
    correlation_id: hasOwn ? 'c.command_id::text' : 'c.correlation_id::text',
  })
  const messagesIn = async (table: string): Promise<string> => {
    const { names, values } = await copied(client, table, { msg_id: 'c.msg_id', message: json('o.message') })
    return `insert into ${table} (${names}) overriding system value
     select ${values} from bench_copy c, ${table} o where o.msg_id = ${literal(original.message)} order by c.i`
  }

  const isTheRow = `o.domain = ${literal(domain)} and o.command_id = ${literal(commandId)}`
  const steps = [
    `create temporary table bench_copy on commit drop as
     select s.*, (select ${idAt('s.created_at')}) as command_id, (select ${idAt('s.created_at')}) as correlation_id
     from (
       select i, o.created_at + h.shift as created_at, h.shift,
         nextval(pg_get_serial_sequence(${literal(queue)}, 'msg_id')) as msg_id
       from command_bus_command o, generate_series($1::int, $2::int) i,
         lateral (select -round($3::float8 + ($4::float8 - $3) * (i - $1) / greatest($2 - $1, 1)) * interval '1 millisecond' as shift) h
       where ${isTheRow}) s`,
    `insert into command_bus_event (${events.names}, hash)
     select ${events.names}, command_bus_chain(case when revision = 0 then ''::bytea end,
       command_bus_event_content(stream, revision, id, type, data, meta, msg_id, recorded)) over (partition by i order by revision)
     from (select c.i, ${events.values} from bench_copy c, command_bus_event o where o.stream = ${literal(stream)} offset 0) e
     order by i, revision`,
    `insert into command_bus_command (${rows.names}) select ${rows.values} from bench_copy c, command_bus_command o where ${isTheRow} order by c.i`,
    await messagesIn(queue),
    await messagesIn(archive),
  ] as const
  return async ({ count, oldestMs, newestMs }) => {
    const [make, ...inserts] = steps
    await client.query('begin')
    await client.query(make, [1, count, oldestMs, newestMs])
    for (const insert of inserts) await client.query(insert)
    await client.query('commit')
  }
}

/** Copies a command over and over, set by set. */
export const copyCommand = async (client: pg.Client, original: Original, copies: Copies): Promise<void> => {
  const copy = await createCopier(client, original)
  const ageOf = (copy: number): number => copies.spreadMs * (1 - copy / copies.count)
  for (let done = 0; done < copies.count; ) {
    const upTo = Math.min(done + COPIES_AT_ONCE, copies.count)
    await copy({ count: upTo - done, oldestMs: ageOf(done), newestMs: ageOf(upTo - 1) })
    done = upTo
    await copies.onProgress?.(done)
  }
}
