import type { TroubleshootingItem } from '../../../application/ports/reading/command-queries.ts'

/** The payload of a list's item; of a large one, its size and beginning. */
export const payloadText = ({ payload, payloadBytes, payloadPreview }: TroubleshootingItem): unknown =>
  payloadBytes === undefined ? payload : `(${payloadBytes} bytes) ${payloadPreview ?? ''}…`

/** The line below a list with cut payloads: how to see a complete one. */
export const cutNote = (items: readonly TroubleshootingItem[]): string => {
  const cut = items.find(({ payloadBytes }) => payloadBytes !== undefined)
  if (cut === undefined) return ''
  return `\n\nPayloads larger than 4 KiB are cut. To see a complete one: commandbus show ${cut.commandId} --domain ${cut.domain}`
}
