import type { Alert } from '../../api/client.ts'

/** What an alert can be about. */
export const kindWords: Readonly<Record<Alert['on'][number], string>> = {
  groups: 'each new cause',
  parked: 'each domain with parked commands',
  lateReplies: 'late replies',
}
