import type { CreditsEventType } from './events.ts'

/** The sign of each event's change to a balance. The ledger's entries, `evolve` and the property tests read this table. */
export const signs: Readonly<Record<CreditsEventType, 1 | -1>> = {
  CreditsGranted: 1,
  CreditsCharged: -1,
  CreditsRefunded: 1,
}
