import type { Pool } from 'pg'
import type { FigureQueries } from '../../../application/ports/reading/figures.ts'
import { BoundedMap } from '../../../application/shared/bounded-map.ts'
import { cachedFor } from '../../shared/cached.ts'
import { createCauseFigures } from './cause-figures.ts'
import { createQueueFigures } from './queue-figures.ts'
import { createTypeFigures } from './type-figures.ts'

/** How long an answer is reused: nine times as long as it took, so that many readers cost no more than a tenth of the time. */
const keptFor = (tookMs: number): number => Math.min(tookMs * 9, LONGEST_KEPT_MS)
const LONGEST_KEPT_MS = 15_000
const MOST_KEPT = 200

/** One answer for all who ask the same. */
export const shared = <Filter, Answer>(
  read: (filter: Filter) => Promise<Answer>,
): ((filter: Filter) => Promise<Answer>) => {
  const known = new BoundedMap<string, () => Promise<Answer>>(MOST_KEPT)
  return filter => {
    const key = JSON.stringify(filter)
    const one = known.get(key) ?? cachedFor(keptFor, () => read(filter))
    known.set(key, one)
    return one()
  }
}

/** @param primary where queues are looked at, if `pool` is of a replica: see `queueStats` */
export const createFigureQueries = (pool: Pool, primary = pool): FigureQueries => {
  const { causes, courses } = createCauseFigures(pool)
  return {
    types: shared(createTypeFigures(pool)),
    queues: shared(createQueueFigures(primary)),
    causes: shared(causes),
    courses: shared(courses),
  }
}
