import { accessSync, constants, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

const MEMORY = '/dev/shm'
const ENOUGH_BYTES = 6 * 1024 ** 3

/**
 * Where servers of tests have their data: in memory where there is plenty of it, since each database of a test is
 * hundreds of files that are soon removed again; else where all temporary files are. Processes are killed here, not
 * machines, so that both survive alike.
 */
export const dataDirectory = (): string => {
  try {
    accessSync(MEMORY, constants.W_OK)
    const { bavail, bsize } = statfsSync(MEMORY)
    return bavail * bsize >= ENOUGH_BYTES ? MEMORY : tmpdir()
  } catch {
    return tmpdir()
  }
}
