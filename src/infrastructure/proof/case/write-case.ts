import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createGzip } from 'node:zlib'
import { CommandBusError } from '../../../application/shared/errors.ts'
import type { Signer } from '../chain/keys.ts'
import type { CaseHeader, EventLine, MessageLine } from './case-lines.ts'

export interface CaseWriter {
  readonly event: (event: EventLine) => Promise<void>
  readonly message: (message: MessageLine) => Promise<void>
}

export interface WrittenCase {
  readonly streams: number
  readonly events: number
  readonly messages: number
  /** Of the file, in hex. */
  readonly sha256: string
  readonly bytes: number
}

/**
 * Writes a file completely or not at all: under another name first, then renamed.
 * @throws CommandBusError FILE when it cannot be written
 */
export const writeCase = async (
  path: string,
  header: CaseHeader,
  signer: Signer,
  body: (writer: CaseWriter) => Promise<void>,
): Promise<WrittenCase> => {
  const aside = `${path}.part`
  try {
    const counted = await writeLines(aside, header, signer, body)
    const file = await open(aside, 'r+')
    const hash = createHash('sha256')
    let bytes = 0
    try {
      for await (const chunk of file.createReadStream({ autoClose: false })) {
        hash.update(chunk as Buffer)
        bytes += (chunk as Buffer).length
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(aside, path)
    await syncDirectory(dirname(path))
    return { ...counted, sha256: hash.digest('hex'), bytes }
  } catch (error) {
    await rm(aside, { force: true }).catch(() => {})
    const { code } = error as NodeJS.ErrnoException
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) {
      throw new CommandBusError('FILE', `${path} cannot be written (${code})`, { cause: error })
    }
    throw error
  }
}

const writeLines = async (
  path: string,
  header: CaseHeader,
  signer: Signer,
  body: (writer: CaseWriter) => Promise<void>,
) => {
  const zip = createGzip()
  const file = createWriteStream(path, { mode: 0o600 })
  zip.pipe(file)
  const closed = once(file, 'close')
  let failed: Error | undefined
  file.on('error', error => {
    failed = error
    zip.destroy(error)
  })
  zip.on('error', () => {})
  closed.catch(() => {})

  const hash = createHash('sha256')
  const put = async (line: object): Promise<void> => {
    if (failed !== undefined) throw failed
    const text = `${JSON.stringify(line)}\n`
    hash.update(text)
    if (!zip.write(text)) await Promise.race([once(zip, 'drain'), closed])
  }
  let [streams, events, messages, last] = [0, 0, 0, '']
  try {
    await put(header)
    await body({
      event: event => {
        if (event.stream !== last) streams++
        last = event.stream
        events++
        return put({ event })
      },
      message: message => {
        messages++
        return put({ message })
      },
    })
    const digest = hash.digest()
    const [key, signature] = [signer.key, signer.sign(digest)].map(bytes => bytes.toString('base64url'))
    const end = { streams, events, messages, sha256: digest.toString('hex'), key, signature }
    zip.end(`${JSON.stringify({ end })}\n`)
    await closed
    if (failed !== undefined) throw failed
  } catch (error) {
    zip.destroy()
    file.destroy()
    throw failed ?? error
  }
  return { streams, events, messages }
}

/** The name of a new file is safe on the disk only after its directory is synced. */
const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
