import { Injectable } from '@nestjs/common'
import { BusinessRuleError, type OutputOf } from 'commandbus'
import { type CommandHandler, Handles } from '../bus/handles.js'
import { CardLimits } from './card-limits.js'
import { chargeCard } from './charge-card.js'

type ChargeCard = OutputOf<typeof chargeCard.payload>

@Injectable()
@Handles(chargeCard)
export class ChargeCardHandler implements CommandHandler<ChargeCard> {
  constructor(private readonly limits: CardLimits) {}

  async handle({ amount, card }: ChargeCard) {
    const limit = await this.limits.limitOf(card.number)
    if (amount > limit) throw new BusinessRuleError('LIMIT_EXCEEDED', `the card has a limit of ${limit}`)
    return { charged: amount, card: card.number.slice(-4) }
  }
}
