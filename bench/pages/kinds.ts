/** How the lives of commands end. */
export type Ending = 'completed' | 'parked' | 'failed' | 'canceled' | 'waiting' | 'retrying' | 'scheduled'

/** Commands that are alike: one is lived by the bus, the others are copies of it. */
export type Kind = {
  readonly domain: string
  readonly commandType: string
  readonly ending: Ending
  /** Where it fails. */
  readonly errorCode: string
  readonly tenantId: string | null
  /** Of a thousand commands, so many. Rare kinds have less than one. */
  readonly perThousand: number
  /** The time of the copies, in days before now. */
  readonly days: readonly [oldest: number, newest: number]
}

export const LARGE = 'orders'
/** Spread over all the time. */
export const RARE = 'OrderAudit'
/** Of long ago: what is no longer sent. */
export const OLD = 'OrderImport'
/** The largest cause. */
export const COMMON_CODE = 'CARD_DECLINED'

const HISTORY: Kind['days'] = [30, 0.05]
const WEEK: Kind['days'] = [7, 0.02]
const LATELY: Kind['days'] = [0.3, 0.01]

const numbered = (name: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${name}${String(i + 1).padStart(2, '0')}`)

const common = numbered('Order', 24)
const rare = [RARE, OLD, ...numbered('OrderRare', 6)]
const others = [
  ['billing', numbered('Bill', 8), 50],
  ['shipping', numbered('Ship', 5), 40],
  ['mail', numbered('Mail', 3), 20],
  ['crm', numbered('Customer', 4), 5],
] as const

const parked = [
  ['PAYMENT_TIMEOUT', 9],
  ['ADDRESS_INVALID', 5],
  ['STOCK_MISSING', 4],
  ['PRICE_CHANGED', 2],
  ['CUSTOMER_BLOCKED', 1],
] as const

const kind = (
  domain: string,
  commandType: string,
  ending: Ending,
  perThousand: number,
  more: Partial<Kind> = {},
): Kind => ({
  ...{ domain, commandType, ending, perThousand, errorCode: '', tenantId: null, days: HISTORY },
  ...more,
})

/** What the database is filled with: five domains, one of them large, 52 types, and everything that can become of a command. */
export const kinds: readonly Kind[] = [
  ...common.map((type, i) =>
    kind(LARGE, type, 'completed', i === 0 ? 0 : 32.5, i % 8 === 1 ? { tenantId: 'acme' } : {}),
  ),
  ...rare.map(type => kind(LARGE, type, 'completed', 0.04, type === OLD ? { days: [30, 25] } : {})),
  ...others.flatMap(([domain, types, all]) => types.map(type => kind(domain, type, 'completed', all / types.length))),
  kind(LARGE, 'Order01', 'parked', 25, { errorCode: COMMON_CODE, days: WEEK }),
  kind(LARGE, 'Order01', 'completed', 60),
  ...parked.map(([errorCode, n], i) => kind(LARGE, `Order0${i + 2}`, 'parked', n, { errorCode, days: WEEK })),
  kind(LARGE, 'Order02', 'parked', 1, { errorCode: COMMON_CODE, days: WEEK, tenantId: 'acme' }),
  kind('billing', 'Bill01', 'parked', 4, { errorCode: 'LEDGER_CLOSED', days: WEEK }),
  kind('shipping', 'Ship01', 'parked', 1.9, { errorCode: 'CARRIER_DOWN', days: LATELY }),
  kind('crm', 'Customer01', 'parked', 0.1, { errorCode: 'MERGED', days: LATELY }),
  kind(LARGE, 'Order06', 'failed', 4, { errorCode: 'NO_CREDIT' }),
  kind('billing', 'Bill02', 'failed', 1, { errorCode: 'ACCOUNT_CLOSED', days: LATELY }),
  kind(LARGE, 'Order07', 'canceled', 4),
  kind(LARGE, 'Order08', 'waiting', 7, { days: LATELY }),
  kind('shipping', 'Ship02', 'waiting', 10, { days: LATELY }),
  kind('crm', 'Customer02', 'waiting', 3, { days: LATELY }),
  kind(LARGE, 'Order09', 'retrying', 2, { errorCode: 'GATEWAY_BUSY', days: LATELY }),
  kind(LARGE, 'Order10', 'scheduled', 3, { days: LATELY }),
]
