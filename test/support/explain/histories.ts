import type { FindingKind, Sample } from '../../../src/domain/explain/index.ts'
import type { Json } from '../../../src/domain/json/json.ts'

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const START = Date.parse('2026-03-01T00:00:00Z')
const HOURS = 24

const oneOf = <Item>(items: readonly Item[], random: () => number): Item =>
  // the first ones are more frequent
  items[Math.floor(items.length * random() ** 1.6)] as Item

const countries = ['NO', 'SE', 'DK', 'FI', 'DE', 'FR', 'NL', 'BE', 'IT', 'ES', 'PT', 'GR']
const tenants = ['acme', 'borg', 'cyan', 'dune', 'echo', 'fable', 'gusto']
const skus = Array.from({ length: 40 }, (_, i) => `SKU-${i}`)

export interface Order {
  readonly data: { readonly [name: string]: Json }
  readonly tenant: string | null
  readonly worker: string
  readonly build: string
  readonly at: string
}

/** An order as shops send them: ids, skewed words, amounts, optional members, lists; more by day than by night. */
const orderOf = (i: number, count: number, random: () => number): Order => {
  const part = (i + random()) / count
  const at = START + (part - Math.sin(2 * Math.PI * part) / 8) * HOURS * 3_600_000
  const items = Array.from({ length: 1 + Math.floor(random() * 4) }, () => ({
    sku: oneOf(skus, random),
    quantity: 1 + Math.floor(random() * 5),
  }))
  return {
    data: {
      orderId: `ORD-${i}-${Math.floor(random() * 1e9)}`,
      amount: Math.round(100 * Math.exp(3 + 1.2 * (random() + random() + random() - 1.5))) / 100,
      currency: oneOf(['NOK', 'SEK', 'EUR', 'DKK'], random),
      express: random() < 0.3,
      priority: Math.floor(random() * 5),
      customer: {
        country: oneOf(countries, random),
        tier: oneOf(['basic', 'plus', 'pro'], random),
        email: `c${Math.floor(random() * 5_000)}@example.com`,
        ...(random() < 0.7 ? { phone: `+47${Math.floor(random() * 1e8)}` } : {}),
      },
      ...(random() < 0.25 ? { coupon: `C-${Math.floor(random() * 300)}` } : {}),
      ...(random() < 0.5 ? { note: 'x'.repeat(Math.floor(random() * 80)) } : {}),
      items,
    },
    tenant: oneOf(tenants, random),
    worker: `w${1 + Math.floor(random() * 5)}`,
    build: part + (random() - 0.5) * 0.05 < 0.45 ? '1.4.0' : '1.4.1',
    at: new Date(at).toISOString(),
  }
}

type Data = Order['data']
const customer = ({ data }: Order) => data.customer as Data
const hour = ({ at }: Order): number => (Date.parse(at) - START) / 3_600_000

export interface Planted {
  readonly name: string
  readonly kind: FindingKind
  readonly path?: string
  /** Changes an order, before it is decided whether it fails. */
  readonly change?: (order: Order, random: () => number) => Order
  readonly fails: (order: Order) => boolean
  /** How many of those fail. */
  readonly share: number
}

const withData = (order: Order, data: Data): Order => ({ ...order, data: { ...order.data, ...data } })

/** One cause each. */
export const plantedCauses: readonly Planted[] = [
  { name: 'a country', kind: 'value', path: 'customer.country', fails: o => customer(o).country === 'IT', share: 1 },
  { name: 'a currency', kind: 'value', path: 'currency', fails: o => o.data.currency === 'EUR', share: 0.3 },
  {
    name: 'a rare country',
    kind: 'value',
    path: 'customer.country',
    fails: o => customer(o).country === 'GR',
    share: 0.9,
  },
  { name: 'a flag', kind: 'value', path: 'express', fails: o => o.data.express === true, share: 0.1 },
  {
    name: 'an item of a list',
    kind: 'value',
    path: 'items[].sku',
    fails: o => (o.data.items as readonly Data[]).some(({ sku }) => sku === 'SKU-7'),
    share: 0.8,
  },
  {
    name: 'null',
    kind: 'value',
    path: 'customer',
    change: (o, random) => (random() < 0.02 ? withData(o, { customer: null }) : o),
    fails: o => o.data.customer === null,
    share: 1,
  },
  {
    name: 'a missing member',
    kind: 'member',
    path: 'customer.phone',
    fails: o => !('phone' in customer(o)),
    share: 0.2,
  },
  {
    name: 'a rarely missing member',
    kind: 'member',
    path: 'items',
    change: (o, random) => {
      const { items: _, ...rest } = o.data
      return random() < 0.03 ? { ...o, data: rest } : o
    },
    fails: o => !('items' in o.data),
    share: 1,
  },
  { name: 'a member', kind: 'member', path: 'coupon', fails: o => 'coupon' in o.data, share: 0.4 },
  {
    name: 'a number as text',
    kind: 'type',
    path: 'amount',
    change: (o, random) => (random() < 0.05 ? withData(o, { amount: String(o.data.amount) }) : o),
    fails: o => typeof o.data.amount === 'string',
    share: 1,
  },
  {
    name: 'a list where an object was',
    kind: 'type',
    path: 'customer',
    change: (o, random) => (random() < 0.04 ? withData(o, { customer: [customer(o)] }) : o),
    fails: o => Array.isArray(o.data.customer),
    share: 0.9,
  },
  { name: 'large amounts', kind: 'range', path: 'amount', fails: o => (o.data.amount as number) > 60, share: 0.9 },
  {
    name: 'amounts between two',
    kind: 'range',
    path: 'amount',
    fails: o => (o.data.amount as number) > 15 && (o.data.amount as number) < 20,
    share: 0.7,
  },
  {
    name: 'long notes',
    kind: 'range',
    path: 'note.length',
    fails: o => typeof o.data.note === 'string' && o.data.note.length > 64,
    share: 0.9,
  },
  { name: 'a tenant', kind: 'tenant', fails: o => o.tenant === 'dune', share: 0.5 },
  { name: 'a rare tenant', kind: 'tenant', fails: o => o.tenant === 'gusto', share: 1 },
  { name: 'a worker', kind: 'worker', fails: o => o.worker === 'w4', share: 0.3 },
  { name: 'a build', kind: 'build', fails: o => o.build === '1.4.1', share: 0.1 },
  { name: 'a quarter of an hour', kind: 'time', fails: o => hour(o) > 9.5 && hour(o) < 9.75, share: 0.9 },
  { name: 'an hour', kind: 'time', fails: o => hour(o) > 15 && hour(o) < 16, share: 0.4 },
]

/** How many fail like this without any cause. */
const NOISE = 0.002
const NO_CAUSE: Omit<Planted, 'kind' | 'name'> = { fails: () => true, share: 0.02 }

export interface Past {
  readonly order: Order
  readonly failed: boolean
}

/** Orders of a day in the order of time, with which of them failed. */
export const historyOf = (
  seed: number,
  count: number,
  planted: Omit<Planted, 'kind' | 'name'> = NO_CAUSE,
): readonly Past[] => {
  const random = randomFrom(seed)
  return Array.from({ length: count }, (_, i) => {
    const plain = orderOf(i, count, random)
    const order = planted.change?.(plain, random) ?? plain
    return { order, failed: random() < (planted.fails(order) ? planted.share : NOISE) }
  })
}

/** As an explanation takes them: at most `most` of each, at even distances. */
export const samplesOf = (past: readonly Past[], most: number) => {
  const some = (failed: boolean): readonly Sample[] => {
    const own = past.filter(one => one.failed === failed).map(({ order }) => order)
    const step = Math.max(1, own.length / most)
    return Array.from({ length: Math.min(most, own.length) }, (_, i) => own[Math.floor(i * step)] as Order)
  }
  return { failed: some(true), succeeded: some(false) }
}
