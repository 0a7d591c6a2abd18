import type { ClientBase } from 'pg'
import type { Finding, Findings } from '../chain/finding.ts'
import { fingerprintOf, isSignedBy } from '../chain/keys.ts'

interface SealRow {
  readonly number: string
  readonly before: string | null
  readonly position: string
  readonly begin: string
  readonly events: string
  readonly there: string
  readonly hash: Buffer
  readonly expected: Buffer | null
  readonly key: Buffer | null
  readonly signature: Buffer | null
}

const PAGE = 200

/**
 * SQL: what of a table is in the range of seal `s`. The planner expects a good part of the log in a range, and would read all of it; with
 * the limit it takes the index. So many more mean the same as all of them: events were inserted.
 */
const coveredIn = (table: string): string => `(
      select e.xid, e.position, e.hash from ${table} e
      where (e.xid, e.position) > (s.begin_xid, s.begin) and (e.xid, e.position) <= (s.xid, s.position)
      order by e.xid, e.position limit 2 * s.events + 1000)`

// Seals with their correct hash, from the events in their range now: in the log, or recorded as archived.
const sealPage = `
  select s.number::text, s.before::text, s.position::text, s.begin::text, s.events::text, t.there::text, s.hash, s.key, s.signature,
    sha256(coalesce(s.before_hash, ''::bytea) || int8send(s.number) || int8send(s.position) || int8send(s.events) || timestamptz_send(s.sealed_at)
      || t.digest || convert_to(s.about::text, 'UTF8')) as expected
  from (
    select s.*, b.number as before, b.hash as before_hash, coalesce(b.xid, '0'::xid8) as begin_xid,
      coalesce(b.position, 0) as begin
    from (select * from command_bus_seal where number > $1::bigint order by number limit ${PAGE}) s
    left join lateral (select * from command_bus_seal b where b.number < s.number order by b.number desc limit 1) b on true) s
  cross join lateral (
    select count(*) as there, sha256(coalesce(string_agg(h.hash, ''::bytea order by h.xid, h.position), ''::bytea)) as digest
    from (${['command_bus_event', 'command_bus_archived_event'].map(coveredIn).join(' union all ')}) h) t
  order by s.number`

export interface SealsChecked {
  readonly seals: number
  /** By fingerprint of the key; '' for seals without a signature. */
  readonly signedBy: ReadonlyMap<string, number>
}

/**
 * Checks the chain over the whole log. With `trusted` keys, every seal must be signed by one of them; all `known` seals must be
 * there unchanged.
 */
export const verifySeals = async (
  client: ClientBase,
  findings: Findings,
  {
    after = '-1',
    trusted = [] as readonly string[],
    known = [] as readonly KnownSeal[],
    onProgress = (_: number) => {},
  } = {},
): Promise<SealsChecked> => {
  const signedBy = new Map<string, number>()
  let seals = 0
  let last = after
  while (!findings.isFull('seal')) {
    const { rows } = await client.query<SealRow>(sealPage, [last])
    for (const row of rows) {
      findings.add(...sealFaults(row))
      // the migration makes the first seal, without a key
      if (row.number === '0') continue
      findings.add(...signatureFaults(row, trusted))
      seals++
      const signer = row.key === null ? '' : fingerprintOf(row.key)
      signedBy.set(signer, (signedBy.get(signer) ?? 0) + 1)
    }
    onProgress(seals)
    const end = rows.at(-1)
    if (end === undefined) break
    last = end.number
  }
  for (const seal of known) findings.add(...(await knownFaults(client, seal)))
  return { seals, signedBy }
}

/** A copy of a seal from outside the database. */
export interface KnownSeal {
  readonly number: string
  /** In hex. */
  readonly hash: string
}

const about = (row: Pick<SealRow, 'number'>) => ({
  kind: 'seal' as const,
  stream: `seal ${row.number}`,
  revision: null,
})

const sealFaults = (row: SealRow): readonly Finding[] => {
  if (row.number !== '0' && (row.before === null || BigInt(row.before) !== BigInt(row.number) - 1n)) {
    const expected = (BigInt(row.number) - 1n).toString()
    return [
      {
        ...about(row),
        column: '*',
        expected,
        found: row.before,
        message: `the seal before it, ${expected}, is missing`,
      },
    ]
  }
  const range = `after position ${row.begin} up to ${row.position}`
  if (row.there !== row.events) {
    return [
      {
        ...about(row),
        column: 'events',
        expected: Number(row.events),
        found: Number(row.there),
        message: `it covers ${row.events} events ${range}; there are ${row.there} now: events were ${BigInt(row.there) < BigInt(row.events) ? 'removed' : 'inserted'}`,
      },
    ]
  }
  return row.expected?.equals(row.hash) === true
    ? []
    : [
        {
          ...about(row),
          column: 'hash',
          expected: row.expected?.toString('hex') ?? null,
          found: row.hash.toString('hex'),
          message: `its hash does not fit: an event ${range} was changed or moved, or the seal itself or the one before it was`,
        },
      ]
}

const signatureFaults = (row: SealRow, trusted: readonly string[]): readonly Finding[] => {
  const by = row.key === null ? null : fingerprintOf(row.key)
  const fault = (expected: string, message: string): readonly Finding[] => [
    { ...about(row), column: 'signature', expected, found: by, message },
  ]
  if (row.key !== null && (row.signature === null || !isSignedBy(row.key, row.hash, row.signature))) {
    return fault('a signature of this seal', 'its signature is not of this seal')
  }
  if (trusted.length === 0 || (by !== null && trusted.includes(by))) return []
  return by === null
    ? fault(trusted.join(' or '), 'it has no signature')
    : fault(
        trusted.join(' or '),
        `it is signed by a key that is not trusted here: ${by}; if that is yours, name it with --trust`,
      )
}

const knownFaults = async (client: ClientBase, known: KnownSeal): Promise<readonly Finding[]> => {
  const { rows } = await client.query(
    `select encode(hash, 'hex') as hash from command_bus_seal where number = $1::bigint`,
    [known.number],
  )
  const found: string | null = rows[0]?.hash ?? null
  if (found === known.hash) return []
  const message =
    found === null
      ? `it was there once, and is gone: the log was cut, or an older copy was put in its place`
      : `it is not the seal that was kept: the log was rewritten`
  return [{ ...about(known), column: found === null ? '*' : 'hash', expected: known.hash, found, message }]
}
