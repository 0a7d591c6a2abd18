import { type Mode, onDatabase, say } from '../mode.ts'
import { measureProfiles, openCounting } from '../profile/measure.ts'
import { profileJson, profileTable } from '../profile/report.ts'
import { amount } from '../rounds.ts'
import { works } from '../work.ts'

export const profile: Mode = {
  usage: [
    'profile          where the time of a command goes, in Node and in PostgreSQL; of each work, or of those named after it:',
    `                 ${works.join(', ')}`,
    '--out <folder>   of profile: where the .cpuprofile files go, default dist-bench/profiles',
  ],
  run: onDatabase(
    async ({ database, options, check }) => {
      const profiles = await measureProfiles(database.url, {
        works: options.works,
        commands: work => amount(work, options),
        folder: options.out,
        check,
      })
      return { table: profiles.map(profileTable).join('\n\n'), json: profileJson(profiles) }
    },
    () => openCounting(say),
  ),
}
