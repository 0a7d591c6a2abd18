/**
 * The form of a stream prefix, in words. As it has no `-`, the streams of two prefixes never overlap: EventStoreDB takes the
 * part before the first `-` as the category, which is the prefix and the bus's own category.
 */
export const eventStorePrefixForm =
  "up to 60 letters, digits, '_' and '.', beginning with a letter, such as 'billing_'; '-' is not allowed, as it ends the category of a stream"

const FORM = /^[A-Za-z][A-Za-z0-9_.]{0,59}$/

export const isEventStorePrefix = (text: string): boolean => FORM.test(text)
