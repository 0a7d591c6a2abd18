/** What the hostile know of others: ids that they may have seen somewhere. */
export interface Prey {
  readonly commands: string[]
  readonly parked: string[]
  readonly runs: string[]
  readonly templates: string[]
  readonly operations: string[]
  readonly actions: string[]
}

const MOST = 100

export const createPrey = (): Prey => ({
  commands: [],
  parked: [],
  runs: [],
  templates: [],
  operations: [],
  actions: [],
})

/** The newest ones are worth more: something may still happen to them. */
export const seen = (ids: string[], ...more: readonly string[]): void => {
  ids.push(...more)
  ids.splice(0, ids.length - MOST)
}
