import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { mkdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, inject } from 'vitest'
import { removeEmbedded } from '../../../src/infrastructure/postgres/embedded/index.ts'
import { dataDirectory } from './data-directory.ts'
import type { Output } from './in-process.ts'

const repository = fileURLToPath(new URL('../../../', import.meta.url))

export interface Answer extends Output {
  /** The output of `--json`: from standard output, or from standard error if that is empty. */
  readonly json: () => Printed
}

type Fields = { readonly [name: string]: unknown }

/** The members that tests read; each command prints some of them. */
export interface Printed extends Fields {
  readonly items: readonly Fields[]
  readonly results: readonly Fields[]
  readonly applied: readonly Fields[]
  readonly nextCursor: string
  readonly commandId: string
  readonly status: string
  readonly error: { readonly code: string; readonly message: string }
}

export interface RunOptions {
  readonly env?: { readonly [name: string]: string }
  readonly input?: string
  readonly cwd?: string
}

/** Commands that stay, that start processes of their own, or that end with their parent. */
const processesOnly = ['start', 'worker', 'rehearse', 'health']
const groups = ['tsq', 'operations', 'runs', 'credits', 'replies', 'queues']

/** `tsq retry` of `tsq retry <id> --operator jane`. */
const commandOf = ([first = '', second = '']: readonly string[]): string =>
  groups.includes(first) ? `${first} ${second}` : first

/** The environment of a user who has configured nothing. */
const plainEnv = (): { [name: string]: string } => ({
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? tmpdir(),
  TMPDIR: tmpdir(),
  LC_ALL: 'C.UTF-8',
})

/** The compiled package, and the program in it, for the tests of a file. */
export const useProgram = () => {
  const directory = join(
    repository,
    'node_modules',
    '.cache',
    `commandbus-cli-${process.pid}-${randomBytes(3).toString('hex')}`,
  )
  const main = join(directory, 'dist', 'main.js')
  const running: ChildProcess[] = []
  const started = new Set<ChildProcess>()
  const homes: string[] = []
  let place: string | null = null
  const shown = new Set<string>()
  let inProcess = false

  /** The working directory of the command lines, of this test file only. */
  const placeOfFile = (): string => {
    place ??= mkdtempSync(join(tmpdir(), 'commandbus-cli-'))
    return place
  }

  beforeAll(async () => {
    await mkdir(directory, { recursive: true })
    const compiled = inject('compiledPackage')
    for (const name of ['dist', 'migrations', 'package.json'])
      await symlink(join(compiled, name), join(directory, name))
  })
  afterAll(async () => {
    for (const child of started) child.kill('SIGKILL')
    await rm(directory, { recursive: true, force: true })
    if (place !== null) await rm(place, { recursive: true, force: true })
  })
  afterEach(async () => {
    for (const child of running.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    for (const home of homes.splice(0)) {
      await removeEmbedded(home)
      await rm(dirname(home), { recursive: true, force: true })
    }
  })

  const begin = (args: readonly string[], { env = {}, cwd = placeOfFile() }: RunOptions): ChildProcess => {
    const child = spawn(process.execPath, [main, ...args], { env: { ...plainEnv(), ...env }, cwd, stdio: 'pipe' })
    started.add(child)
    child.once('exit', () => started.delete(child))
    return child
  }

  /** Whether a process would show no more: one has run this command, and it neither reads input nor starts a server. */
  const isShown = (args: readonly string[], { env = {}, input, cwd }: RunOptions): boolean => {
    const command = commandOf(args)
    if (!shown.has(command)) {
      shown.add(command)
      return false
    }
    const ready = env.DATABASE_URL !== undefined || args.includes('--from')
    return ready && input === undefined && cwd === undefined && !processesOnly.includes(command) && !inProcess
  }

  const runHere = async (args: readonly string[], env: RunOptions['env']): Promise<Output> => {
    inProcess = true
    try {
      const { runInProcess } = await import('./in-process.ts')
      return await runInProcess(args, { env: { ...plainEnv(), ...env }, cwd: placeOfFile(), main })
    } finally {
      inProcess = false
    }
  }

  const runAlone = async (args: readonly string[], options: RunOptions): Promise<Output> => {
    const child = begin(args, options)
    const output = collect(child)
    child.stdin?.on('error', () => undefined).end(options.input ?? '')
    const [code] = await once(child, 'close')
    return { code, ...output }
  }

  return {
    directory,
    main,
    /** Starts a command line and does not wait for its end; it ends with its test at the latest. */
    launch: (args: readonly string[], options: RunOptions = {}): ChildProcess => {
      const child = begin(args, options)
      running.push(child)
      return child
    },
    /**
     * Runs one command line to its end; concurrent tests may share it. The first of each command in a file is a process; later
     * ones run in this process, where that shows the same: a process takes most of a second to load the program.
     */
    run: async (args: readonly string[], options: RunOptions = {}): Promise<Answer> => {
      const output = isShown(args, options) ? await runHere(args, options.env) : await runAlone(args, options)
      return { ...output, json: () => JSON.parse(output.stdout || output.stderr) }
    },
    /** Makes a directory for an embedded server; both are removed after the test. */
    newHome: async (): Promise<string> => {
      const place = join(dataDirectory(), `commandbus-home-${randomBytes(6).toString('hex')}`)
      await mkdir(place, { mode: 0o755 })
      const home = join(place, 'home')
      homes.push(home)
      return home
    },
  }
}

/** What a process has written so far. */
export const collect = (child: ChildProcess): { readonly stdout: string; readonly stderr: string } => {
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', text => {
    output.stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', text => {
    output.stderr += text
  })
  return output
}

/** Resolves with the first line of the stream that matches; fails when the process ends before. */
export const lineOf = async (child: ChildProcess, stream: 'stdout' | 'stderr', fits: (line: string) => boolean) => {
  const source = child[stream]
  if (source === null) throw new Error('the process has no such stream')
  for await (const line of createInterface(source)) if (fits(line)) return line
  throw new Error(`the process ended before it said what was expected on ${stream}`)
}
