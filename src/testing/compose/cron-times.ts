import type { CronTimes } from '../../application/ports/cron-times.ts'

/** Crons, whose library is loaded by the first call about schedules. */
export const createLazyCrons = () => {
  let loaded: CronTimes | null = null
  const cronTimes: CronTimes = (cron, timeZone) => {
    if (loaded === null) throw new Error('crons are read before their library is loaded')
    return loaded(cron, timeZone)
  }
  return {
    cronTimes,
    /** The calls wait for the library. */
    afterLoad: <Calls extends object>(calls: Calls): Calls =>
      Object.fromEntries(
        Object.entries(calls).map(([name, call]) => [
          name,
          async (...args: unknown[]) => {
            loaded ??= (await import('../../infrastructure/shared/cron-times.ts')).createCronTimes()
            return call(...args)
          },
        ]),
      ) as Calls,
  }
}
