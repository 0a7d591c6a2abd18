/** What `EVENTSTORE_URL` and `eventStoreUrl` may be, in words. */
export const eventStoreUrlForm =
  'a connection string like esdb://host:2113?tls=true or kurrentdb+discover://cluster.example.com, with user:password@ before the host where it asks for them'

const SCHEME = String.raw`(?:esdb|kurrentdb|kurrent|kdb)(?:\+discover)?`
const HOST = String.raw`(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?`
const FORM = new RegExp(
  String.raw`^${SCHEME}:\/\/(?:[^\s:@/?#]+(?::[^\s@/?#]*)?@)?${HOST}(?:,${HOST})*\/?(?:\?[\w.-]+=[^&\s]*(?:&[\w.-]+=[^&\s]*)*)?$`,
  'i',
)

/** Several hosts make it no URL in the sense of `new URL`. */
export const isEventStoreUrl = (text: string): boolean => FORM.test(text)

/** The hosts, without user and password: for people. */
export const eventStoreHosts = (url: string): string =>
  url.replace(new RegExp(String.raw`^${SCHEME}:\/\/(?:[^@/?#]*@)?([^/?#]*).*$`, 'i'), '$1')

/** Options that the client knows. It prints the whole connection string, password included, when it meets another. */
const OPTIONS = new Set([
  'usercertfile',
  'userkeyfile',
  'maxdiscoverattempts',
  'connectionname',
  'defaultdeadline',
  'discoveryinterval',
  'gossiptimeout',
  'nodepreference',
  'tls',
  'tlscafile',
  'throwonappendfailure',
  'keepaliveinterval',
  'keepalivetimeout',
])

const isKnown = (option: string): boolean =>
  OPTIONS.has((option.split('=')[0] ?? '').toLowerCase().replaceAll(/[_-]/g, ''))

/** The same as the client of EventStoreDB reads it, which knows the old scheme only. */
export const clientUrl = (url: string): string => {
  const [address = '', options] = url.trim().split('?', 2)
  const known = options?.split('&').filter(isKnown) ?? []
  const named = address.replace(/^[a-z]+(\+discover)?:/i, (_, discover = '') => `esdb${discover.toLowerCase()}:`)
  return known.length === 0 ? named : `${named}?${known.join('&')}`
}
