/**
 * What a stream prefix may be, in words. Without `-` the streams of two prefixes never overlap: EventStoreDB takes what
 * is before the first one for the category, which the bus's own names end with.
 */
export const eventStorePrefixForm =
  "up to 60 letters, digits, '_' and '.', beginning with a letter, such as 'billing_'; '-' is not allowed, as it ends the category of a stream"

const FORM = /^[A-Za-z][A-Za-z0-9_.]{0,59}$/

export const isEventStorePrefix = (text: string): boolean => FORM.test(text)
