import { ageOf } from '../instant.ts'

/** Commands that could begin now, and that no worker is there for. */
export interface Unhandled {
  readonly domain: string
  /** Null: the domain has no worker at all. Else it has some, but none for this type. */
  readonly commandType: string | null
  /** How many; 1,000 stands for 1,000 or more. */
  readonly pending: number
  /** Since when the first of them could begin, and how long that is. ISO 8601. */
  readonly since: string
  readonly oldestSeconds: number
}

export const MOST_COUNTED = 1_000

/** What nobody is there for: `inventory`, or `type Count in inventory`. */
export const unhandledPart = ({ domain, commandType }: Pick<Unhandled, 'domain' | 'commandType'>): string =>
  commandType === null ? domain : `type ${commandType} in ${domain}`

/** As in `No worker for inventory: 7 pending, oldest 19 min`. */
export const unhandledSentence = ({ pending, oldestSeconds, ...part }: Unhandled): string => {
  const count = pending >= MOST_COUNTED ? `${MOST_COUNTED.toLocaleString('en-US')} or more` : String(pending)
  return `No worker for ${unhandledPart(part)}: ${count} pending, oldest ${ageOf(oldestSeconds)}`
}
