import type { CommandBus, SendOptions } from '../../src/index.ts'
import { PermanentCommandError } from '../../src/index.ts'
import type { TestBus } from './bus.ts'

/** Sends a command and has a worker park it as PERMANENT; returns its id. */
export const parked = async (
  { bus, until }: Pick<TestBus, 'bus' | 'until'>,
  domain = 'payments',
  data: unknown = { amount: 5 },
  options: SendOptions & { readonly errorCode?: string; readonly commandType?: string } = {},
): Promise<string> => {
  const { errorCode = 'CARD_DECLINED', commandType = 'Charge', ...rest } = options
  const { commandId } = await bus.send(domain, commandType, data, rest)
  const worker = bus.worker({
    domain,
    handlers: {
      '*': () => {
        throw new PermanentCommandError(errorCode, 'the card was declined', { bank: 'x' })
      },
    },
  })
  await worker.start()
  await until(() => bus.getCommand(domain, commandId), isParked)
  await worker.stop()
  return commandId
}

export const isParked = (command: { readonly status: string } | null): boolean =>
  command?.status === 'IN_TROUBLESHOOTING_QUEUE'

/** The names of the events in the audit, in order. */
export const auditNames = async (bus: CommandBus, domain: string, commandId: string): Promise<readonly string[]> =>
  (await bus.getAuditTrail(domain, commandId)).map(entry => entry.eventType)
