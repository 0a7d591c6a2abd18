import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandBusError } from '../../../application/shared/errors.ts'
import { sha256 } from './event-hash.ts'

/** Signs seals and files with an Ed25519 key. */
export interface Signer {
  /** The raw public key, 32 bytes. */
  readonly key: Buffer
  readonly sign: (text: Buffer) => Buffer
}

export const PROOF_KEY_FILE = 'proof.key'
/** The bytes before the 32 bytes of a key in DER form. */
const PRIVATE_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_HEAD = Buffer.from('302a300506032b6570032100', 'hex')

const signerOf = (privateKey: KeyObject): Signer => ({
  key: createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(PUBLIC_HEAD.length),
  sign: text => sign(null, text, privateKey),
})

/** A signer from 32 secret bytes in base64url, as in `COMMANDBUS_PROOF_KEY` and the key file; null: not a valid key. */
export const parseSigner = (text: string): Signer | null => {
  const seed = Buffer.from(text.trim(), 'base64url')
  if (seed.length !== 32 || seed.toString('base64url') !== text.trim()) return null
  return signerOf(createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, seed]), format: 'der', type: 'pkcs8' }))
}

export const isSignedBy = (key: Buffer, text: Buffer, signature: Buffer): boolean => {
  if (key.length !== 32) return false
  try {
    return verify(
      null,
      text,
      createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, key]), format: 'der', type: 'spki' }),
      signature,
    )
  } catch {
    return false
  }
}

/** For people to compare: `SHA256:` and the hash of the public key. */
export const fingerprintOf = (key: Buffer): string => `SHA256:${sha256(key).toString('base64url')}`

/** The key of the home, if there is one. @throws CommandBusError PROOF_KEY for a file without a valid key */
export const findSigner = async (home: string): Promise<Signer | null> => {
  const path = join(home, PROOF_KEY_FILE)
  try {
    const signer = parseSigner(await readFile(path, 'utf8'))
    if (signer !== null) return signer
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new CommandBusError('PROOF_KEY', `${path} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  throw new CommandBusError(
    'PROOF_KEY',
    `${path} does not hold a valid key: put the right one back (its earlier signatures can be checked without it)`,
  )
}

/** The key of the home: made at the first call, readable only by its owner. */
export const localSigner = async (home: string): Promise<Signer> => {
  const found = await findSigner(home)
  if (found !== null) return found
  const path = join(home, PROOF_KEY_FILE)
  await mkdir(home, { recursive: true })
  const seed = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)
  // written to another file and linked, so that two processes at once end with the same key
  const aside = `${path}.${process.pid}.${sha256(seed).toString('hex').slice(0, 8)}`
  await writeFile(aside, seed.toString('base64url'), { mode: 0o600, flag: 'wx' })
  await chmod(aside, 0o600)
  await link(aside, path).catch(error => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(aside)
  const made = await findSigner(home)
  if (made === null) throw new Error(`${path} was removed while it was made`)
  return made
}
