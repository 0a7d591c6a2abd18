import type { CreditsEventType } from './events.ts'

/** Which way each event moves a balance. The ledger's entries, `evolve` and the property tests read this table. */
export const signs: Readonly<Record<CreditsEventType, 1 | -1>> = {
  CreditsGranted: 1,
  CreditsCharged: -1,
  CreditsRefunded: 1,
}
