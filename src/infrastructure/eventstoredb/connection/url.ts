/** The form of `EVENTSTORE_URL` and `eventStoreUrl`, in words. */
export const eventStoreUrlForm =
  'a connection string like esdb://host:2113?tls=true or kurrentdb+discover://cluster.example.com, with user:password@ before the host where it asks for them'

const SCHEME = String.raw`(?:esdb|kurrentdb|kurrent|kdb)(?:\+discover)?`
const HOST = String.raw`(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?`
const FORM = new RegExp(
  String.raw`^${SCHEME}:\/\/(?:[^\s:@/?#]+(?::[^\s@/?#]*)?@)?${HOST}(?:,${HOST})*\/?(?:\?[\w.-]+=[^&\s]*(?:&[\w.-]+=[^&\s]*)*)?$`,
  'i',
)

/** `new URL` refuses a connection string with several hosts. */
export const isEventStoreUrl = (text: string): boolean => FORM.test(text)

/** The hosts, without user and password, to be shown. */
export const eventStoreHosts = (url: string): string =>
  url.replace(new RegExp(String.raw`^${SCHEME}:\/\/(?:[^@/?#]*@)?([^/?#]*).*$`, 'i'), '$1')

/** Options that the client knows. For any other it prints the whole connection string with its password. */
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

/** The URL for the client of EventStoreDB, which knows only the old scheme. */
export const clientUrl = (url: string): string => {
  const [address = '', options] = url.trim().split('?', 2)
  const known = options?.split('&').filter(isKnown) ?? []
  const named = address.replace(/^[a-z]+(\+discover)?:/i, (_, discover = '') => `esdb${discover.toLowerCase()}:`)
  return known.length === 0 ? named : `${named}?${known.join('&')}`
}
