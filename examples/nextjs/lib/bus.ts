import { type CommandBus, createCommandBus } from 'commandbus'

const kept = globalThis as { commandBus?: CommandBus }

/**
 * One bus for the process, kept where hot reload, which loads this file again, leaves it. Made by the first request: `next build`
 * loads the routes too, where there is no database.
 */
export const bus = (): CommandBus => {
  kept.commandBus ??= createCommandBus({ databaseUrl: process.env.DATABASE_URL ?? '' })
  return kept.commandBus
}
