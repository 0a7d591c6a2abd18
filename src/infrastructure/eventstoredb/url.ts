/** What `EVENTSTORE_URL` and `eventStoreUrl` may be, in words. */
export const eventStoreUrlForm =
  'a connection string like esdb://host:2113?tls=true or esdb+discover://cluster.example.com, with user:password@ before the host where it asks for them'

const HOST = String.raw`(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?`
const FORM = new RegExp(
  String.raw`^esdb(\+discover)?:\/\/(?:[^\s:@/?#]+(?::[^\s@/?#]*)?@)?${HOST}(?:,${HOST})*\/?(?:\?[\w.-]+=[^&\s]*(?:&[\w.-]+=[^&\s]*)*)?$`,
  'i',
)

/** Several hosts make it no URL in the sense of `new URL`. */
export const isEventStoreUrl = (text: string): boolean => FORM.test(text)

/** The hosts, without user and password: for people. */
export const eventStoreHosts = (url: string): string =>
  url.replace(/^esdb(\+discover)?:\/\/(?:[^@/?#]*@)?([^/?#]*).*$/i, '$2')
