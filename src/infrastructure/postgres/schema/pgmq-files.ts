import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { extract } from 'tar'

const archivePath = (): string =>
  join(dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite-pgmq')), 'pgmq.tar.gz')

const unpackInto = async (directory: string): Promise<void> => {
  await mkdir(directory, { recursive: true })
  await extract({ file: archivePath(), cwd: directory, preserveOwner: false })
}

/**
 * Unpacks pgmq's extension files, once, into a directory below `parent` that is named by their content.
 * Returns the directory for PostgreSQL's `extension_control_path` (without `:$system`).
 */
export const unpackPgmq = async (parent: string): Promise<string> => {
  const digest = createHash('sha256')
    .update(await readFile(archivePath()))
    .digest('hex')
  const directory = join(parent, `pgmq-${digest.slice(0, 12)}`)
  if (!existsSync(directory)) {
    const unfinished = `${directory}.tmp`
    await rm(unfinished, { recursive: true, force: true })
    await unpackInto(unfinished)
    await rename(unfinished, directory)
  }
  return join(directory, 'share', 'postgresql')
}

/** pgmq's SQL of the newest version in the npm package, with psql's own commands taken out. */
export const readPgmqSql = async (): Promise<{ readonly version: string; readonly sql: string }> => {
  const directory = await mkdtemp(join(tmpdir(), 'commandbus-pgmq-'))
  try {
    await unpackInto(directory)
    const files = join(directory, 'share', 'postgresql', 'extension')
    const version = /^default_version\s*=\s*'([^']+)'/m.exec(await readFile(join(files, 'pgmq.control'), 'utf8'))?.[1]
    const file = `pgmq--${version}.sql`
    if (version === undefined || !(await readdir(files)).includes(file))
      throw new Error(`The pgmq package lacks ${file}: reinstall commandbus's dependencies.`)
    const sql = (await readFile(join(files, file), 'utf8')).replaceAll(/^\\.*$/gm, '')
    return { version, sql }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
