import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { extract } from 'tar'
import { inject } from 'vitest'

/** A folder for each released version: `commandbus-<version>.tgz` as it was packed, and `rows.json.gz` with data of every kind. */
export const kept = join(import.meta.dirname, 'released')

export interface Released {
  readonly version: string
  /** The content of the tarball, from where node_modules is found. */
  readonly directory: string
  /** What `dumpRows` wrote. */
  readonly rows: Buffer
}

/** Lays out a packed version where its dependencies are found. */
export const unpack = async (tarball: string, name: string): Promise<string> => {
  const directory = join(dirname(inject('compiledPackage')), `commandbus-released-${process.pid}-${name}`)
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  await extract({ file: tarball, cwd: directory, strip: 1 })
  return directory
}

export const releasedVersions = async (): Promise<readonly string[]> => (await readdir(kept)).sort()

export const openReleased = async (version: string): Promise<Released> => ({
  version,
  directory: await unpack(join(kept, version, `commandbus-${version}.tgz`), version),
  rows: await readFile(join(kept, version, 'rows.json.gz')),
})
