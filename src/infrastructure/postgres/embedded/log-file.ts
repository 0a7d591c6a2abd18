import { open, stat } from 'node:fs/promises'
import { adopt } from './files.ts'
import type { Layout } from './layout.ts'

const LIMIT = 10 * 1024 * 1024
const KEPT = 1024 * 1024

const sizeOf = async (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  )

const readFrom = async (path: string, position: number): Promise<string> => {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const buffer = Buffer.alloc(Math.max(0, size - position))
    await file.read(buffer, 0, buffer.length, position)
    return buffer.toString('utf8')
  } finally {
    await file.close()
  }
}

/** Cuts a log of more than 10 MB down to its last megabyte; the server goes on appending to the same file. */
export const trimLog = async (path: string): Promise<void> => {
  const size = await sizeOf(path)
  if (size <= LIMIT) return
  const tail = await readFrom(path, size - KEPT)
  const file = await open(path, 'r+')
  try {
    await file.truncate(0)
    await file.write(tail.slice(tail.indexOf('\n') + 1), 0)
  } finally {
    await file.close()
  }
}

/** Opens the log for appending (mode 0600); also gives a reader of what is written after this moment. */
export const openLog = async (layout: Layout) => {
  await trimLog(layout.logFile)
  const file = await open(layout.logFile, 'a', 0o600)
  await adopt(layout.logFile, layout.home)
  const position = await sizeOf(layout.logFile)
  return { file, news: () => readFrom(layout.logFile, position) }
}

/** The last lines of a text, for an error message. */
export const lastLines = (text: string, count = 8): string => text.trimEnd().split('\n').slice(-count).join('\n')
