import { randomUUID } from 'node:crypto'
import { link, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, EmbeddedServerError } from './error.ts'
import { makeDirectory, writePrivate } from './files.ts'
import { isAlive, type ProcessRef, parseProcessRef, poll, self } from './processes.ts'

/*
 * Node has no file locks that the kernel frees with the process, so the lock is a chain of numbered files, each naming its
 * holder. The highest number is never deleted. After its holder released it or died, the process that creates the next
 * number has the lock. No file changes its holder, so two processes cannot both take over from the same dead holder.
 */

const numbersIn = (names: readonly string[]): readonly number[] =>
  names
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => b - a)

const holderOf = async (directory: string, number: number): Promise<ProcessRef | undefined> =>
  readFile(join(directory, String(number)), 'utf8').then(parseProcessRef, error => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })

const create = async (directory: string, number: number): Promise<boolean> => {
  const ticket = `ticket.${randomUUID()}`
  await writePrivate(directory, ticket, JSON.stringify(self()))
  try {
    await link(join(directory, ticket), join(directory, String(number)))
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOENT') return false
    throw error
  } finally {
    await rm(join(directory, ticket), { force: true })
  }
}

/** Removes files that processes left behind when they were killed during a write. */
const sweep = async (directory: string): Promise<void> => {
  for (const name of (await readdir(directory)).filter(entry => !/^\d+$/.test(entry))) {
    const made = await stat(join(directory, name)).catch(() => undefined)
    if (made !== undefined && Date.now() - made.mtimeMs > 60_000) await rm(join(directory, name), { force: true })
  }
}

const tryAcquire = async (directory: string): Promise<number | ProcessRef | undefined> => {
  const highest = numbersIn(await readdir(directory))[0] ?? 0
  const holder = highest === 0 ? undefined : await holderOf(directory, highest)
  if (holder !== undefined && isAlive(holder)) return holder
  const mine = highest + 1
  if (!(await create(directory, mine))) return undefined
  const numbers = numbersIn(await readdir(directory))
  if (numbers[0] !== mine) {
    // The chain had moved on, and this number had been removed before it was made again here.
    await rm(join(directory, String(mine)), { force: true })
    return undefined
  }
  await Promise.all(numbers.slice(1).map(old => rm(join(directory, String(old)), { force: true })))
  await sweep(directory)
  return mine
}

/**
 * Runs `body` while no other call, of this or another process, runs its own under the same `home`. A killed holder is
 * recognised by pid and start time, and its lock is taken over. Waits at most `timeoutMs`.
 * @throws EmbeddedServerError LOCKED, which names the holder
 */
export const withLock = async <A>(home: string, body: () => Promise<A>, timeoutMs = 180_000): Promise<A> => {
  const directory = await makeDirectory(home, 'lock', 0o700)
  let holder: ProcessRef | undefined
  const mine = await poll(
    async () => {
      const outcome = await tryAcquire(directory)
      holder = typeof outcome === 'object' ? outcome : holder
      return typeof outcome === 'number' ? outcome : undefined
    },
    timeoutMs,
    25 + Math.random() * 25,
  )
  if (mine === undefined)
    throw new EmbeddedServerError(
      'LOCKED',
      `Process ${holder?.pid ?? 'unknown'} has been starting or stopping the embedded database in ${home} for ` +
        `${Math.round(timeoutMs / 1000)} s: wait for it, or end it and try again.`,
    )
  try {
    return await body()
  } finally {
    await writePrivate(directory, String(mine), 'released').catch(error => {
      if (codeOf(error) !== 'ENOENT') throw error
    })
  }
}
