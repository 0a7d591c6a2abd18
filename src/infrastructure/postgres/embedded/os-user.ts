import { execFileSync, spawnSync } from 'node:child_process'
import { EmbeddedServerError } from './error.ts'

/** An operating system account by number. */
export interface OsUser {
  readonly uid: number
  readonly gid: number
}

/** The account to run a child process under; empty means the account of this process. */
export type RunAs = OsUser | Record<string, never>

export const isRoot = (): boolean => process.getuid?.() === 0

const lookUp = (name: string): OsUser | undefined => {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }).trim())
    const user = { uid: id('-u'), gid: id('-g') }
    return Number.isSafeInteger(user.uid) && Number.isSafeInteger(user.gid) && user.uid !== 0 ? user : undefined
  } catch {
    return undefined
  }
}

/** The ordinary account that runs the server for root: `postgres`, else `nobody`. Accounts are never created. */
export const serverAccount = (): OsUser => {
  const user = lookUp('postgres') ?? lookUp('nobody')
  if (user !== undefined) return user
  throw new EmbeddedServerError(
    'PERMISSION',
    'PostgreSQL does not run as root and this system has neither a "postgres" nor a "nobody" account: ' +
      'run commandbus as an ordinary user, or set DATABASE_URL to a server of your own.',
  )
}

/** A small environment: nothing of the caller's PG*, LD_* or locale variables reaches the server. */
export const serverEnv = (): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
})

const succeeds = (command: string, args: readonly string[], runAs: RunAs): boolean =>
  spawnSync(command, args, { ...runAs, cwd: '/', env: serverEnv(), stdio: 'ignore' }).status === 0

/** True when the account can enter the directory. */
export const canEnter = (directory: string, runAs: RunAs): boolean =>
  succeeds('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], runAs)

/** True when the account can run the program with `--version`. */
export const canRun = (program: string, runAs: RunAs): boolean => succeeds(program, ['--version'], runAs)
