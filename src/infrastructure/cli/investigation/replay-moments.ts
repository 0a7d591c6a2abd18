import { type HistoryOptions, momentOf } from '../../../application/investigation/read-history.ts'
import { UsageError } from '../support/failure.ts'

export interface MomentFlags {
  readonly at?: string
  readonly compare?: string
}

/** The moments that the flags name, checked before anything is connected. @throws UsageError, InvalidInputError */
export const momentsOf = ({ at, compare }: MomentFlags): Omit<HistoryOptions, 'tenantId'> => {
  if (compare === undefined) return at === undefined ? {} : { at: momentOf(at, '--at') }
  if (at !== undefined) throw new UsageError('--at shows one moment and --compare two: leave out one of them')
  const [from, to, ...more] = compare.split('..')
  if (!from || !to || more.length > 0) throw new UsageError('--compare takes two moments, like --compare 2..5')
  return { from: momentOf(from, '--compare'), to: momentOf(to, '--compare') }
}
