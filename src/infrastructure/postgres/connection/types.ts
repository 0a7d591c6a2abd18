import pg, { type CustomTypesConfig } from 'pg'

type Parse = (text: string) => unknown

const number: Parse = text => Number(text)
const same: Parse = text => text
const json: Parse = text => JSON.parse(text)
/** The real shape of `arrayParser`; pg's types declare it as a function. */
const arrays = pg.types.arrayParser as unknown as {
  readonly create: (text: string, parse: Parse) => { readonly parse: () => unknown }
}
const listOf =
  (parse: Parse): Parse =>
  text =>
    arrays.create(text, parse).parse()

/** `\x0a` or, where `bytea_output` is `escape`, octal digits behind backslashes. */
const bytes: Parse = text => {
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex')
  return Buffer.from(
    text.replace(/\\(\\|[0-7]{3})/g, (_, code) =>
      code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 8)),
    ),
    'latin1',
  )
}

/** The text of an instant depends on the session, so instants have to be selected as text; see `instant`. */
const refuse: Parse = () => {
  throw new Error('a statement of commandbus selects an instant as such: it has to be selected with `instant`')
}

/** Parsers by PostgreSQL's fixed type ids. */
const parsers: ReadonlyMap<number, Parse> = new Map([
  [16, text => text === 't'], // bool
  [17, bytes], // bytea
  [21, number], // int2
  [23, number], // int4
  [26, number], // oid
  [114, json], // json
  [700, number], // float4
  [701, number], // float8
  [1082, refuse], // date
  [1114, refuse], // timestamp
  [1184, refuse], // timestamptz
  [1186, refuse], // interval
  [1005, listOf(number)], // int2[]
  [1007, listOf(number)], // int4[]
  [1009, listOf(same)], // text[]
  [1016, listOf(same)], // int8[]
  [2951, listOf(same)], // uuid[]
  [3802, json], // jsonb
])

/**
 * Parses the values that PostgreSQL sends, independent of the process's `pg.types` and `pg.defaults`. int8, numeric, uuid
 * and xid8 stay text.
 */
export const ownTypes: CustomTypesConfig = {
  getTypeParser: ((oid: number) => parsers.get(oid) ?? same) as CustomTypesConfig['getTypeParser'],
}
