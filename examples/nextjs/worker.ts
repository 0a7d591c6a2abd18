import { BusinessRuleError, createCommandBus, defineHandler } from 'commandbus'
import { chargeCard } from './lib/charge-card.ts'

const LIMIT = 5000

const handler = defineHandler({
  command: chargeCard,
  handle: async ({ amount, card }) => {
    if (amount > LIMIT) throw new BusinessRuleError('LIMIT_EXCEEDED', `the card has a limit of ${LIMIT}`)
    return { charged: amount, card: card.number.slice(-4) }
  },
})

const bus = createCommandBus({ databaseUrl: process.env.DATABASE_URL ?? '' })
await bus.worker({ domain: chargeCard.domain, handlers: { [chargeCard.commandType]: handler } }).start()
console.log('working')

/** Running handlers may end, then the connections go. */
const stop = (): Promise<void> => bus.close()
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
