import { defineCommand } from 'commandbus'
import { z } from 'zod'

/** Shared by the routes that send and the worker that handles. */
export const chargeCard = defineCommand(
  'payments',
  'ChargeCard',
  z.object({
    amount: z.number().int().positive(),
    card: z.object({ number: z.string().regex(/^\d{12,19}$/) }),
  }),
  { checkOnSend: true, sensitive: ['card.number'] },
)
