import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirectory, readText, writePrivate } from './files.ts'
import { isAlive, parseProcessRef, self } from './processes.ts'

/** Registers this process as a user of the server; returns the name with which to sign off. */
export const signOn = async (home: string): Promise<string> => {
  const name = `${process.pid}-${randomUUID()}`
  await writePrivate(await makeDirectory(home, 'users', 0o700), name, JSON.stringify(self()))
  return name
}

export const signOff = async (home: string, name: string): Promise<void> =>
  rm(join(home, 'users', name), { force: true })

/** Pids of the processes that use the server now; removes entries of dead processes. Call it under the lock. */
export const liveUsers = async (home: string): Promise<readonly number[]> => {
  const directory = await makeDirectory(home, 'users', 0o700)
  const pids: number[] = []
  for (const name of (await readdir(directory)).filter(entry => !entry.startsWith('.'))) {
    const ref = parseProcessRef((await readText(join(directory, name))) ?? '')
    if (ref !== undefined && isAlive(ref)) pids.push(ref.pid)
    else await rm(join(directory, name), { force: true })
  }
  return pids
}
