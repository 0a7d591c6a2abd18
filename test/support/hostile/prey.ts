/** Ids of others' things that the hostile users know. */
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

/** Adds ids and keeps the newest: their commands may still change. */
export const seen = (ids: string[], ...more: readonly string[]): void => {
  ids.push(...more)
  ids.splice(0, ids.length - MOST)
}
