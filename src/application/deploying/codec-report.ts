import type { OpenType, PayloadKind } from '../ports/deploying.ts'
import { partsOf } from './fault-pattern.ts'

/** Payloads of a type that a codec refuses for the same reason. A payload with several faults counts for each. */
export interface CodecFault {
  readonly domain: string
  readonly commandType: string
  /** Such as `data.items.*.price`; '': the fault names none. */
  readonly path: string
  readonly fault: string
  readonly payloads: number
  readonly waiting: number
  readonly parked: number
  /** The first of them. */
  readonly commandId: string
}

export interface CodecReport {
  /** Payloads that a codec has looked at. */
  readonly checked: number
  /** Those with at least one fault. */
  readonly refused: number
  readonly refusedWaiting: number
  readonly refusedParked: number
  readonly faults: readonly CodecFault[]
  /** Kinds of faults that there was no room for; missing: none. */
  readonly faultsOmitted?: number
  /** Waiting and parked commands of types that have no handler. */
  readonly withoutHandler: readonly OpenType[]
}

/** Names of members may come from data. */
const MOST_FAULTS = 10_000

type Counting = { -readonly [K in keyof CodecFault]: CodecFault[K] }

export const createCodecReport = () => {
  const counts = { checked: 0, refused: 0, refusedWaiting: 0, refusedParked: 0 }
  const faults = new Map<string, Counting>()
  let faultsOmitted = 0
  return {
    /** `found`: the faults of one payload, each with its path. */
    add: (
      command: {
        readonly domain: string
        readonly commandType: string
        readonly commandId: string
        readonly kind: PayloadKind
      },
      found: readonly string[],
    ): void => {
      counts.checked++
      if (found.length === 0) return
      const { domain, commandType, commandId, kind } = command
      counts.refused++
      if (kind === 'waiting') counts.refusedWaiting++
      if (kind === 'parked') counts.refusedParked++
      const different = new Map(found.map(partsOf).map(parts => [JSON.stringify(parts), parts]))
      for (const [text, { path, fault }] of different) {
        const key = `${domain} ${commandType} ${text}`
        const own = faults.get(key) ?? {
          domain,
          commandType,
          path,
          fault,
          payloads: 0,
          waiting: 0,
          parked: 0,
          commandId,
        }
        if (!faults.has(key) && faults.size >= MOST_FAULTS) {
          faultsOmitted++
          continue
        }
        faults.set(key, own)
        own.payloads++
        if (kind === 'waiting') own.waiting++
        if (kind === 'parked') own.parked++
      }
    },
    result: (withoutHandler: readonly OpenType[]): CodecReport => ({
      ...counts,
      faults: [...faults.values()].sort((a, b) => b.payloads - a.payloads),
      ...(faultsOmitted === 0 ? {} : { faultsOmitted }),
      withoutHandler,
    }),
  }
}
