import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { ownFile } from '../../shared/package-root.ts'

/** The package has a copy of it (see scripts/build-service.mjs); code that runs from `src` takes the original. */
const archivePath = (): string => {
  const copy = ownFile('dist', 'pgmq', 'pgmq.tar.gz')
  if (existsSync(copy)) return copy
  return join(dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite-pgmq')), 'pgmq.tar.gz')
}

const BLOCK = 512

/** The extension's files by their names. The archive has plain files with short names only, so its headers are read here. */
const filesOf = (archive: Buffer): ReadonlyMap<string, Buffer> => {
  const tar = gunzipSync(archive)
  const text = (from: number, length: number): string => tar.toString('utf8', from, from + length).replace(/\0.*$/s, '')
  const files = new Map<string, Buffer>()
  for (let at = 0; text(at, 100) !== ''; ) {
    const size = Number.parseInt(text(at + 124, 12), 8)
    const begin = at + BLOCK
    files.set(basename(text(at, 100)), tar.subarray(begin, begin + size))
    at = begin + Math.ceil(size / BLOCK) * BLOCK
  }
  return files
}

/**
 * Unpacks pgmq's extension files, once, into a directory below `parent` that is named by their content.
 * Returns the directory for PostgreSQL's `extension_control_path` (without `:$system`).
 */
export const unpackPgmq = async (parent: string): Promise<string> => {
  const archive = await readFile(archivePath())
  const digest = createHash('sha256').update(archive).digest('hex')
  const directory = join(parent, `pgmq-${digest.slice(0, 12)}`)
  if (!existsSync(directory)) {
    const unfinished = `${directory}.tmp`
    const target = join(unfinished, 'share', 'postgresql', 'extension')
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(target, { recursive: true })
    for (const [name, content] of filesOf(archive)) await writeFile(join(target, name), content)
    await rename(unfinished, directory)
  }
  return join(directory, 'share', 'postgresql')
}

/** pgmq's SQL of the newest version, with psql's own commands taken out. */
export const readPgmqSql = async (): Promise<{ readonly version: string; readonly sql: string }> => {
  const files = filesOf(await readFile(archivePath()))
  const version = /^default_version\s*=\s*'([^']+)'/m.exec(String(files.get('pgmq.control')))?.[1]
  const file = `pgmq--${version}.sql`
  const sql = files.get(file)
  if (version === undefined || sql === undefined) throw new Error(`pgmq's files lack ${file}: reinstall commandbus.`)
  return { version, sql: String(sql).replaceAll(/^\\.*$/gm, '') }
}
