import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'

/** Microseconds of one thread, in all. */
export type Spent = { readonly name: string; readonly where: string; readonly us: number }

export type CpuTimes = {
  /** What the engine does beside calling functions: collecting garbage, waiting, and the rest. */
  readonly engine: readonly Spent[]
  readonly functions: readonly Spent[]
  readonly folders: readonly Spent[]
}

const engineNames: ReadonlyMap<string, string> = new Map([
  ['(garbage collector)', 'garbage collection'],
  ['(idle)', 'idle'],
  ['(program)', 'program'],
])

/** Finer than the default of 1,000, and still cheap. */
const samplingIntervalUs = 250

const root = new URL('../../../', import.meta.url).href

/** Starts the profile of this thread; the result ends it. */
export const recordCpu = async (): Promise<() => Promise<Profiler.Profile>> => {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: samplingIntervalUs })
  await session.post('Profiler.start')
  return async () => {
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    return profile
  }
}

const fileOf = ({ url }: Profiler.ProfileNode['callFrame']): string =>
  url.startsWith(root) ? url.slice(root.length) : url

/** A package, a folder of ours, or a module of Node. */
const folderOf = (file: string): string => {
  const inPackage = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)
  if (inPackage !== null) return inPackage[0]
  const end = file.lastIndexOf('/')
  return end === -1 ? file || '(native)' : file.slice(0, end)
}

const sumBy = (spent: readonly Spent[], key: (entry: Spent) => string): readonly Spent[] => {
  const sums = new Map<string, Spent>()
  for (const entry of spent) {
    const at = key(entry)
    sums.set(at, { ...entry, us: entry.us + (sums.get(at)?.us ?? 0) })
  }
  return [...sums.values()].toSorted((a, b) => b.us - a.us)
}

/** A sample lasts until the next one. */
const selfTimes = ({ samples = [], timeDeltas = [] }: Profiler.Profile): ReadonlyMap<number, number> => {
  const times = new Map<number, number>()
  samples.forEach((node, index) => {
    times.set(node, (times.get(node) ?? 0) + Math.max(0, timeDeltas[index + 1] ?? 0))
  })
  return times
}

/** Each function's own time, without what it calls, most first. */
export const cpuTimes = (profile: Profiler.Profile): CpuTimes => {
  const times = selfTimes(profile)
  const spent = profile.nodes.map(({ id, callFrame }) => {
    const file = fileOf(callFrame)
    const us = times.get(id) ?? 0
    const engine = engineNames.get(callFrame.functionName)
    if (engine !== undefined) return { engine: true, name: engine, file, where: '', us }
    const where = file === '' ? '(native)' : `${file}:${callFrame.lineNumber + 1}`
    return { engine: false, name: callFrame.functionName || '(anonymous)', file, where, us }
  })
  const ran = spent.filter(({ engine, us }) => !engine && us > 0)
  return {
    engine: sumBy(
      spent.filter(({ engine }) => engine),
      ({ name }) => name,
    ),
    functions: sumBy(ran, ({ name, where }) => `${name} ${where}`),
    folders: sumBy(
      ran.map(({ file, us }) => ({ name: folderOf(file), where: '', us })),
      ({ name }) => name,
    ),
  }
}
