import type { Pool } from 'pg'
import { createTransactCommands } from '../../../src/application/commands/transact-commands.ts'
import type { CommandKey } from '../../../src/domain/command/events.ts'
import { commandStream } from '../../../src/domain/command/names.ts'
import { uuidIds } from '../../../src/infrastructure/shared/uuid-ids.ts'
import { createCommandStore } from './command-store.ts'

/** Makes a command IN_PROGRESS as if a worker had its message, without a worker. */
export const beginAttempt = async (pool: Pool, key: CommandKey, msgId: string): Promise<void> => {
  const now = Date.now()
  await createTransactCommands(
    createCommandStore(pool),
    uuidIds,
  )([
    {
      stream: commandStream(key),
      intents: [
        {
          type: 'Receive',
          at: new Date(now).toISOString(),
          actor: 'worker:gone',
          msgId,
          delivery: 1,
          leaseExpiresAt: new Date(now + 30_000).toISOString(),
        },
      ],
    },
  ])
}
