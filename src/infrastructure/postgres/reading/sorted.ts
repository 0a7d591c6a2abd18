import type { ParkedSort } from '../../../application/ports/reading/command-queries.ts'

/** How a list of commands `c` is ordered: by a key, then by id and domain. */
export interface Sorted {
  /** SQL: the time, or the number. */
  readonly key: string
  readonly type: 'timestamptz' | 'int'
  /** Not given: newest first. */
  readonly sort?: Exclude<ParkedSort, 'newest'> | undefined
}

/** The order of a list by a time, or of parked commands by their attempts; `newest` is the usual one. */
export const sortedBy = (time: string, sort: ParkedSort | undefined): Sorted => {
  if (sort === 'attempts') return { key: 'c.attempts', type: 'int', sort }
  return { key: time, type: 'timestamptz', ...(sort === 'oldest' ? { sort } : {}) }
}

/** SQL: how keys follow one another. */
export const signsOf = (sort: ParkedSort | undefined) =>
  sort === 'oldest'
    ? ({
        by: 'asc',
        after: '>',
        upTo: '<=',
        first: 'min',
        last: 'max',
        start: '-infinity',
        end: 'infinity',
        on: '+',
      } as const)
    : ({
        by: 'desc',
        after: '<',
        upTo: '>=',
        first: 'max',
        last: 'min',
        start: 'infinity',
        end: '-infinity',
        on: '-',
      } as const)

export const orderBy = ({ key, sort }: Sorted): string => {
  const { by } = signsOf(sort)
  return `order by ${key} ${by}, c.command_id ${by}, c.domain ${by}`
}
