import { Module } from '@nestjs/common'
import { CardLimits } from './card-limits.js'
import { ChargeCardHandler } from './charge-card.handler.js'
import { ChargesController } from './charges.controller.js'

@Module({ controllers: [ChargesController], providers: [CardLimits, ChargeCardHandler] })
export class ChargesModule {}
