import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const FILE = 'jwt.secret'
const BYTES = 32

/** The secret that signs tokens of the local service: made at the first call, readable by its owner alone. */
export const localSecret = async (home: string): Promise<string> => {
  const path = join(home, FILE)
  const found = await read(path)
  if (found !== null) return found
  await mkdir(home, { recursive: true })
  // written aside and linked, so that of two processes at once one wins and both read the same
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  await writeFile(aside, randomBytes(BYTES).toString('base64url'), { mode: 0o600, flag: 'wx' })
  await chmod(aside, 0o600)
  await link(aside, path).catch(error => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(aside)
  return (await read(path)) as string
}

const read = async (path: string): Promise<string | null> => {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
