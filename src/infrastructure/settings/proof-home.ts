import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findSigner, localSigner, parseSigner, type Signer } from '../proof/chain/keys.ts'
import type { SealHead } from '../proof/chain/seals.ts'
import type { KnownSeal } from '../proof/verification/verify-seals.ts'
import type { Config } from './config.ts'

/** The signer with COMMANDBUS_PROOF_KEY, or else with the key of the home, made if necessary. */
export const signerOf = async ({ proofKey, home }: Config): Promise<Signer> =>
  (proofKey === undefined ? null : parseSigner(proofKey)) ?? localSigner(home)

/** The signer, if there is a key already. */
export const signerIfAny = async ({ proofKey, home }: Config): Promise<Signer | null> =>
  (proofKey === undefined ? null : parseSigner(proofKey)) ?? findSigner(home)

const FILE = 'proof.seal'

interface KeptSeal extends KnownSeal {
  readonly log: string
}

/** The last seal of the log that this home has seen. A log that was cut, or replaced by an older copy, lacks it. */
export const keptSeal = async (home: string, log: string): Promise<KnownSeal | null> => {
  try {
    const kept: KeptSeal = JSON.parse(await readFile(join(home, FILE), 'utf8'))
    return kept.log === log ? { number: kept.number, hash: kept.hash } : null
  } catch {
    return null
  }
}

/** Stores a seal in an existing home; does nothing where the home cannot be written. */
export const keepSeal = async (home: string, log: string, { number, hash }: SealHead): Promise<void> => {
  const kept: KeptSeal = { log, number, hash }
  const aside = join(home, `${FILE}.${process.pid}`)
  try {
    await writeFile(aside, JSON.stringify(kept), { mode: 0o600 })
    await rename(aside, join(home, FILE))
  } catch {}
}
