import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Handlers as they run now, and as they are to be deployed, with a regression in each of ten commands. */
export const writeModules = async (folder: string, library: string) => {
  const now = join(folder, 'now.mjs')
  const next = join(folder, 'next.mjs')
  await writeFile(now, moduleOf(library, current))
  await writeFile(next, moduleOf(library, { ...current, ...changed }))
  return { now, next }
}

type Parts = { readonly [name: string]: string }

const current: Parts = {
  payload: `{ decode: data => typeof data?.amount === 'number' ? right(data) : wrong('amount', 'number') }`,
  total: 'amount * 2',
  items: 'items.map(price => ({ price, tax: price / 5 }))',
  card: 'card',
  refund: `if (amount > 100) throw new BusinessRuleError('TOO_MUCH', 'more than 100')`,
  decline: `if (decline) throw new PermanentCommandError('CARD_DECLINED', 'the card was declined at ' + new Date().toISOString())`,
  tell: `await bus.send('mail', 'Tell', { to: 'ann', amount }, { client, causationId: command.commandId })`,
  ship: `await bus.send('mail', 'Ship', { amount }, { client })`,
  quote: '',
  wait: '',
  end: '',
  write: `await client.query('insert into ledger values ($1, $2)', [command.commandId, amount])`,
  others: `Void: { rehearsable: true, handle: () => null },`,
}

/** Only payloads with this mark meet a regression. */
const changed: Parts = {
  total: 'odd ? amount * 2 + 1 : amount * 2',
  items: 'items.map(price => (odd ? { price } : { price, tax: price / 5 }))',
  card: `odd && card ? { ...card, number: card.number + '0' } : card`,
  refund: `if (amount > 100) throw new BusinessRuleError(odd ? 'OVER_LIMIT' : 'TOO_MUCH', 'more than 100')`,
  decline: `if (decline && odd) throw new PermanentCommandError('CARD_DECLINED', 'again')`,
  tell: `await bus.send('mail', 'Tell', { to: 'ann', amount: odd ? amount * 100 : amount }, { client, causationId: command.commandId })`,
  ship: `if (!odd) await bus.send('mail', 'Ship', { amount }, { client })`,
  payload: `{ decode: data => typeof data?.amount === 'number' && data.amount !== 13 ? right(data) : wrong('amount', 'another amount') }`,
  wait: 'if (odd) for (;;) {}',
  end: 'if (odd) process.exit(3)',
  write: `await client.query(odd ? 'insert into ledgers values ($1, $2)' : 'insert into ledger values ($1, $2)', [command.commandId, amount])`,
  others: '',
}

const moduleOf = (library: string, parts: Parts): string => `
import { BusinessRuleError, PermanentCommandError } from '${library}'
const right = right => ({ _tag: 'Right', right })
const wrong = (key, name) => ({ _tag: 'Left', left: [{ value: 0, context: [{ key: '' }, { key, type: { name } }] }] })
const charged = ({ amount, items = [], card = null, decline, odd }) => {
  ${parts.decline}
  return { total: ${parts.total}, items: ${parts.items}, card: ${parts.card}, at: new Date().toISOString() }
}
export const handlers = bus => ({
  payments: {
    Charge: { payload: ${parts.payload}, rehearsable: true, sensitive: ['card.number'], handle: charged },
    Refund: { rehearsable: true, handle: ({ amount, odd }) => { ${parts.refund} } },
    Tell: { transactional: true, rehearsable: true, handle: async ({ amount, odd }, { client, command }) => { ${parts.tell} } },
    Ship: { transactional: true, rehearsable: true, handle: async ({ amount, odd }, { client }) => { ${parts.ship} } },
    Wait: { rehearsable: true, handle: ({ odd }) => { ${parts.wait} } },
    End: { rehearsable: true, handle: ({ odd }) => { ${parts.end} } },
    Write: { transactional: true, rehearsable: true, handle: async ({ amount, odd }, { client, command }) => { ${parts.write} } },
    Outside: async () => null,
    ${parts.others}
  },
})
`
