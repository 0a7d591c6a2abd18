import { BusinessRuleError, type CommandBus, defineHandler, type Worker } from 'commandbus'
import { chargeCard } from './commands.ts'

const LIMIT = 5000

const handler = defineHandler({
  command: chargeCard,
  handle: async ({ amount, card }) => {
    if (amount > LIMIT) throw new BusinessRuleError('LIMIT_EXCEEDED', `the card has a limit of ${LIMIT}`)
    return { charged: amount, card: card.number.slice(-4) }
  },
})

/** In the process of the routes, or in another one: it needs only the bus. */
export const startWorker = async (bus: CommandBus): Promise<Worker> => {
  const worker = bus.worker({ domain: chargeCard.domain, handlers: { [chargeCard.commandType]: handler } })
  await worker.start()
  return worker
}
