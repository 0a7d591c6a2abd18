import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openOurs } from '../ours.ts'
import { type Database, openDatabase, settle } from '../server.ts'
import { perSecond, type Work, works } from '../work.ts'
import { type CpuTimes, cpuTimes, recordCpu } from './cpu.ts'
import { countStatements, type ServerTimes, watchServer } from './server.ts'

export type ProfileOptions = {
  readonly works: readonly Work[]
  readonly commands: (work: Work) => number
  /** Where the profiles for a browser's developer tools are written. */
  readonly folder: string
  readonly check: () => void
}

export type Profile = {
  readonly work: Work
  readonly commands: number
  /** Commands a second, with all the counting. */
  readonly rate: number
  readonly file: string
  readonly cpu: CpuTimes
  readonly server: ServerTimes
}

const warmUpCommands = 2_000

/** A server that counts its statements, or one that cannot, and then the report says so. */
export const openCounting = async (say: (text: string) => void): Promise<Database> => {
  try {
    return await openDatabase(countStatements)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'START_FAILED')) throw error
    say(`The server does not start with pg_stat_statements, so it is started without. ${error.message}`)
    return openDatabase()
  }
}

/** Each work once, after all were warmed up. */
export const measureProfiles = async (url: string, options: ProfileOptions): Promise<readonly Profile[]> => {
  const { commands, folder, check } = options
  const profiles: Profile[] = []
  const watch = await watchServer(url)
  let measure = perSecond
  const ours = await openOurs(
    url,
    () => settle(url),
    (count, task) => measure(count, task),
  )

  const profileOf = (work: Work) => async (count: number, task: () => Promise<unknown>) => {
    const endServer = await watch.begin()
    const endCpu = await recordCpu()
    const rate = await perSecond(count, task)
    const recorded = await endCpu()
    const server = await endServer()
    const file = join(folder, `${work}.cpuprofile`)
    await writeFile(file, JSON.stringify(recorded))
    profiles.push({ work, commands: count, rate, file, cpu: cpuTimes(recorded), server })
    return rate
  }

  try {
    await mkdir(folder, { recursive: true })
    for (const work of works) {
      check()
      await ours.measure[work](warmUpCommands)
    }
    for (const work of options.works) {
      check()
      measure = profileOf(work)
      await ours.measure[work](commands(work))
    }
    return profiles
  } finally {
    await ours.close()
    await watch.close()
  }
}
