import { BusinessRuleError, type CommandBus, defineHandler, type Worker } from 'commandbus'
import * as t from 'io-ts'
import type { Pool } from 'pg'

const LIMIT = 5000

export const preparePayments = (pool: Pool) =>
  pool.query('create table if not exists payment (command_id uuid primary key, amount int not null)')

/** An invalid payload parks its command. What `client` writes commits together with the completion, or not at all. */
const chargeCard = defineHandler({
  payload: t.type({ amount: t.Int }),
  transactional: true,
  handle: async ({ amount }, { command, client }) => {
    if (amount > LIMIT) throw new BusinessRuleError('LIMIT_EXCEEDED', `the card has a limit of ${LIMIT}`, { amount })
    await client.query('insert into payment (command_id, amount) values ($1, $2)', [command.commandId, amount])
    return { charged: amount }
  },
})

export const startPayments = async (bus: CommandBus): Promise<Worker> => {
  const worker = bus.worker({ domain: 'payments', handlers: { ChargeCard: chargeCard } })
  await worker.start()
  return worker
}
