import type { StreamingRead } from '@eventstore/db-client'
import { SilentStoreError, troubleOf } from '../connection/errors.ts'

/**
 * All that a read gives; nothing when the stream is missing, which shows while iterating only. The client sets reads no
 * deadline: a server that says nothing for `timeoutMs` ends this one.
 */
export const collect = async <E>(read: StreamingRead<E>, timeoutMs: number): Promise<E[]> => {
  const found: E[] = []
  const silence = setTimeout(() => {
    read.destroy(new SilentStoreError(timeoutMs))
    read.cancel().catch(() => {})
  }, timeoutMs)
  // an error may still come when nobody iterates any more
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
