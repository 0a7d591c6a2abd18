import type { TroubleshootingItem } from '../../../application/ports/reading/command-queries.ts'

/** The payload of a list's item: a large one is not in it, and shown by its size and its beginning. */
export const payloadText = ({ payload, payloadBytes, payloadPreview }: TroubleshootingItem): unknown =>
  payloadBytes === undefined ? payload : `(${payloadBytes} bytes) ${payloadPreview ?? ''}…`

/** The line below a list that left a payload out: where to see the whole. */
export const cutNote = (items: readonly TroubleshootingItem[]): string => {
  const cut = items.find(({ payloadBytes }) => payloadBytes !== undefined)
  if (cut === undefined) return ''
  return `\n\nOf payloads with more than 4 KiB only the beginning is shown. One as a whole: commandbus show ${cut.commandId} --domain ${cut.domain}`
}
