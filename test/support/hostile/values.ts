/** Random values that a seed determines. */
export interface Draw {
  readonly number: (below: number) => number
  readonly of: <A>(these: readonly A[]) => A
  readonly id: () => string
  /** A name that was not used yet. */
  readonly name: () => string
  readonly text: () => string
  readonly data: () => unknown
}

const texts: readonly string[] = [
  '',
  ' ',
  '\u2028\u2029',
  '\u202eevil\u202c\u2066',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udfff\ud800',
  '\r\nid: 1/1\ndata: {"type":"CommandSent"}\n\n',
  "'; drop table command_bus_event; --",
  '{{7*7}} $1 %s %n',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  '../../../etc/passwd',
  'x'.repeat(70_000),
  '\u{1f4a9}'.repeat(300),
  'e\u0301'.repeat(2_000),
  '\u001b[2J\u0007',
  'null',
  'NaN',
]

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
const wide = (members: number): object => Object.fromEntries(Array.from({ length: members }, (_, i) => [`k${i}`, i]))
const data: readonly (() => unknown)[] = [
  () => null,
  () => [],
  () => wide(5_000),
  () => JSON.parse(deep(60)),
  () => ({ fails: 1e9, broken: 'yes', fromRound: {} }),
  () => ({ behavior: { crash: true, durationMs: 1e9 } }),
  () => ({ command_id: '00000000-0000-4000-8000-000000000000', domain: 'shop', outcome: 'SUCCESS' }),
  () => JSON.parse('{"__proto__": {"polluted": true}, "toString": 1}'),
  () => [1e308, -0, 5e-324, 2 ** 60],
  () => 'x'.repeat(100_000),
]

/** Bodies that are not valid JSON, or excessive JSON. */
export const rawBodies: readonly string[] = [
  deep(100_000),
  '['.repeat(200_000),
  `{"commandType":"X","data":${deep(5_000)}}`,
  `{"commandType":"X","data":${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}}`,
  `{"commandType":"X","data":${JSON.stringify(wide(50_000))}}`,
  '{"commandType":"X","data":1e999}',
  `{"commandType":"X","data":${'9'.repeat(100_000)}}`,
  '{"commandType":"X","commandType":"Y","data":1}',
  '{"commandType":"X","data":"\\ud800"}',
  '{"commandType":"X","data":"\\u0000"}',
  '{"commandType":"X","data":1}{"commandType":"X","data":1}',
  '{"__proto__":{"commandType":"X"},"data":1}',
  '\ufeff{"commandType":"X","data":1}',
  '\u0000',
  'null',
  '""',
]

export const drawFrom = (random: () => number): Draw => {
  const number = (below: number): number => Math.floor(random() * below)
  const of = <A>(these: readonly A[]): A => these[number(these.length)] as A
  const hex = (digits: number): string => Array.from({ length: digits }, () => number(16).toString(16)).join('')
  return {
    number,
    of,
    id: () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`,
    name: () => `n${hex(12)}`,
    text: () => of(texts),
    data: () => of(data)(),
  }
}
