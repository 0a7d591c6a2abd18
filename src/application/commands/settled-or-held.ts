import { HeldError } from '../shared/errors.ts'

/** The outcomes of a `brief` append in order; null for those that an open transaction has locked. */
export const settledOrHeld = async <Outcome>(
  count: number,
  append: (onOutcome: (index: number, outcome: Outcome) => void) => Promise<unknown>,
): Promise<readonly (Outcome | null)[]> => {
  const outcomes = new Array<Outcome | null>(count).fill(null)
  try {
    await append((index, outcome) => {
      outcomes[index] = outcome
    })
  } catch (error) {
    if (!(error instanceof HeldError)) throw error
  }
  return outcomes
}
