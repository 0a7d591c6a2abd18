import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandBusError } from '../../../application/shared/errors.ts'

const FILE = 'jwt.secret'
const BYTES = 32
/** Anybody could guess a shorter one, and so sign tokens. */
const LEAST_LENGTH = 32

/** The secret that signs tokens of the local service: created at the first call, readable only by its owner. @throws CommandBusError LOCAL_SECRET */
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
  const made = await read(path)
  if (made === null) throw new Error(`${path} went away while it was made`)
  return made
}

/** The same secret if it exists, else null. @throws CommandBusError LOCAL_SECRET */
export const knownLocalSecret = (home: string): Promise<string | null> => read(join(home, FILE))

const read = async (path: string): Promise<string | null> => {
  try {
    const secret = (await readFile(path, 'utf8')).trim()
    if (secret.length >= LEAST_LENGTH) return secret
    throw new CommandBusError(
      'LOCAL_SECRET',
      `${path} holds no secret of at least ${LEAST_LENGTH} characters: remove it, and a new one is made at the next start`,
    )
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
