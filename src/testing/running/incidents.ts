/**
 * What may happen to an attempt beside its handler. `crashBeforeReport`: its worker dies after the handler has ended, and the log
 * learns nothing. `crashAfterReport`: it dies when the outcome is in the log. `duplicateDelivery`: a copy of its message
 * comes to another worker while the handler runs. `leaseLost`: its lease ends while the handler runs, and another
 * worker runs the command before this attempt reports. `storeAway`: the store is away when it reports, and
 * comes back after that.
 */
export const incidents = [
  'crashBeforeReport',
  'crashAfterReport',
  'duplicateDelivery',
  'leaseLost',
  'storeAway',
] as const
/** What can be made to go wrong. */
export type Incident = (typeof incidents)[number]

/** In place of a command type: any. */
const ANY = '*'

/** What is to happen to coming attempts: each of them takes the first incident that is planned for its type. */
export const createPlan = () => {
  const planned: { readonly commandType: string; readonly incident: Incident | null }[] = []
  return {
    add: (commandType: string, incident: Incident | null): void => void planned.push({ commandType, incident }),
    take: (commandType: string): Incident | null => {
      const place = planned.findIndex(one => one.commandType === commandType || one.commandType === ANY)
      return place < 0 ? null : (planned.splice(place, 1)[0]?.incident ?? null)
    },
  }
}

export type Plan = ReturnType<typeof createPlan>
