import type { StreamingRead } from '@eventstore/db-client'
import { SilentStoreError, troubleOf } from '../connection/errors.ts'

/**
 * All events of a read; none when the stream is missing, which shows only while iterating. As the client sets no deadline,
 * the read fails when the server sends nothing for `timeoutMs`.
 */
export const collect = async <E>(read: StreamingRead<E>, timeoutMs: number): Promise<E[]> => {
  const found: E[] = []
  const silence = setTimeout(() => {
    read.destroy(new SilentStoreError(timeoutMs))
    read.cancel().catch(() => {})
  }, timeoutMs)
  // an error may still come after the iteration
  read.on('error', () => {})
  try {
    for await (const event of read) {
      silence.refresh()
      found.push(event as E)
    }
    return found
  } catch (error) {
    if (troubleOf(error) === 'missing') return []
    throw error
  } finally {
    clearTimeout(silence)
  }
}
