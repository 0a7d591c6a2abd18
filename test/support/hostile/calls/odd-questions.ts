import { all, enc, get, type NastyCall, operators } from './call.ts'

const lists = [
  '/commands',
  '/troubleshooting',
  '/domains/shop/commands',
  '/replies/undelivered',
  '/strangers',
  '/operations',
]
const traversals = [
  '//../../../../etc/passwd',
  '//assets/../../package.json',
  '//assets/..%2f..%2f..%2fpackage.json',
  '//%2e%2e/%2e%2e/etc/passwd',
  '//..%5c..%5cjwt.secret',
  '//docs/../../.commandbus/jwt.secret',
  '//assets/%00.js',
  '//index.html%00.js',
  '//%',
  '//%c0%ae%c0%ae/',
]

/** Expensive queries, and queries for paths that do not exist. */
export const oddQuestions: readonly NastyCall[] = [
  // what is asked
  [
    'more than a page holds',
    all,
    'own',
    w =>
      get(`${w.of(lists)}?limit=${w.of(['0', '-1', '501', '1e9', 'NaN', '99999999999999999999', '5%00', '', '500'])}`),
  ],
  ['a cursor that was changed', all, 'own', w => get(`${w.of(lists)}?limit=5&cursor=${enc(w.cursor())}`)],
  [
    'filters that no index has',
    ['mallory', 'oscar'],
    'own',
    w =>
      get(
        `/commands?limit=500&${w.of(['errorCode=NOBODY_HAS_THIS', 'commandType=nobody', 'correlationId=nobody', 'createdAfter=0001-01-01&commandType=x', 'createdBefore=9999-12-31T23:59:59.999Z&status=CANCELED&errorCode=x'])}`,
      ),
  ],
  [
    'patterns in a search',
    ['mallory', 'oscar'],
    'own',
    w =>
      get(
        `/troubleshooting?limit=500&q=${w.of(['%25', '_'.repeat(200), '%25%25%25a%25%25b', '%5C', enc('(a+)+$'), enc("' or 1=1--"), '%00', enc('\u202e')])}`,
      ),
  ],
  [
    'odd instants',
    operators,
    'own',
    w =>
      get(
        `/troubleshooting/history?at=${w.of(['0000-01-01', '0001-01-01', '9999-12-31T23:59:59.999Z', '%2B275760-09-13', '2024-02-30', 'now', '-1'])}`,
      ),
  ],
  ['all that is parked, in groups', all, 'own', w => get(`/troubleshooting${w.of(['/groups', '?limit=500'])}`)],
  [
    'a query with names that are everywhere',
    all,
    'own',
    w =>
      get(
        `${w.of(lists)}?${w.of(['__proto__[x]=1', 'constructor=1', 'limit=1&limit=2', 'limit[]=1', 'limit[$gt]=1', '&&&=', `${'a'.repeat(3_000)}=1`, 'toString=1'])}`,
      ),
  ],
  ['places outside of what is served', all, 'own', w => get(w.of(traversals))],
  [
    'a method that is none here',
    all,
    'refused',
    w => ({
      method: w.of(['PUT', 'PATCH', 'TRACE', 'PROPFIND', 'DELETE']),
      path: w.of(['/commands', '/domains/shop/commands', '//metrics', '//']),
    }),
  ],
  ['an address that is too long', all, 'refused', w => get(`/domains/${'x'.repeat(w.of([501, 7_000]))}/commands`)],
  [
    'a head that is too large',
    all,
    'refused',
    () => ({ ...get('/commands'), headers: { 'x-large': 'x'.repeat(20_000) } }),
  ],
]
