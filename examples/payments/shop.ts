import { randomUUID } from 'node:crypto'
import type { CommandBus } from 'commandbus'
import type { Pool } from 'pg'

export const replyQueue = 'shop__replies'

export const prepareShop = (pool: Pool) =>
  pool.query('create table if not exists shop_order (id uuid primary key, amount int not null)')

/** The order and its command commit together or not at all. They share one id, so that neither is stored twice. */
export const placeOrder = async (bus: CommandBus, pool: Pool, amount: number): Promise<string> => {
  const client = await pool.connect()
  try {
    const id = randomUUID()
    await client.query('begin')
    await client.query('insert into shop_order (id, amount) values ($1, $2)', [id, amount])
    await bus.send('payments', 'ChargeCard', { amount }, { commandId: id, replyTo: replyQueue, client })
    await client.query('commit')
    return id
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}
