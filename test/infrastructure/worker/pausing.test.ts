import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { WorkItem } from '../../../src/application/commands/work-message.ts'
import { silentLog } from '../../../src/application/ports/log.ts'
import type { InForce, OnLook } from '../../../src/infrastructure/postgres/flow/pause-watch.ts'
import { createPausing } from '../../../src/infrastructure/worker/flow/pausing.ts'

let now = 1_000
beforeEach(() => {
  now = 1_000
  vi.spyOn(performance, 'now').mockImplementation(() => now)
})
afterEach(() => vi.restoreAllMocks())

const job = (msgId: string, commandType: string, tenantId: string | null = null) =>
  ({
    delivery: { queue: 'mail__commands', msgId, delivery: 1 },
    command: { sent: { commandType, tenantId } },
  }) as unknown as WorkItem

/** A worker's part of it, with the looks of a process by hand. */
const setUp = async (waiting: WorkItem[] = []) => {
  let tell: OnLook = () => {}
  const did: string[] = []
  const pausing = createPausing({
    watch: {
      join: async (_, onLook) => {
        tell = onLook
      },
      leave: () => {},
      lookNow: async () => {
        did.push('look')
      },
    },
    domain: 'mail',
    queue: {
      handBack: async (_, tags) => void did.push(...tags.map(({ msgId }) => `back ${msgId}`)),
      sweepPaused: async (_, place) => ({ place, more: false }),
      putAside: async (_, tags, pauses) => void did.push(...tags.map(({ msgId }) => `${pauses.get(msgId)} ${msgId}`)),
    },
    name: 'mail__commands',
    log: silentLog,
    take: is => waiting.filter(is),
    onOpen: () => did.push('open'),
  })
  await pausing.start()
  return { pausing, did, look: (...pauses: InForce[]) => tell(pauses, now) }
}

const pause = (part: Partial<InForce>): InForce => ({ pauseId: 'p', commandType: null, tenantId: null, ...part })

test('F4: nothing is begun on what was known 700 ms ago, and all goes on after the next look', async () => {
  const { pausing, did, look } = await setUp()
  expect(pausing.mayBegin()).toBe(false)
  look()
  expect(did).toEqual(['open'])
  now += 699
  expect(pausing.mayBegin()).toBe(true)
  now += 1
  expect(pausing.mayBegin()).toBe(false)
  expect(await pausing.holdsAfterWait(job('1', 'Send'))).toBe(true)
  look()
  expect(did).toEqual(['open', 'look', 'look', 'look', 'open'])
  expect(await pausing.holdsAfterWait(job('1', 'Send'))).toBe(false)
})

test('F4: what waits for a slot when a pause comes is put aside for it, or goes back if all is paused', async () => {
  const { pausing, did, look } = await setUp([job('1', 'Send'), job('2', 'Bill', 'acme'), job('3', 'Bill')])
  look(
    pause({ pauseId: 'tenant', tenantId: 'acme' }),
    pause({ pauseId: 'both', commandType: 'Bill', tenantId: 'other' }),
  )
  expect(did).toEqual(['tenant 2'])
  expect(pausing.holds(job('4', 'Bill', 'other'))).toBe(true)
  expect(pausing.holds(job('4', 'Send', 'other'))).toBe(false)
  expect(pausing.mayBegin()).toBe(true)
  look(pause({}), pause({ pauseId: 'tenant', tenantId: 'acme' }))
  expect(did.slice(1)).toEqual(['back 1', 'back 2', 'back 3'])
  expect(pausing.mayBegin()).toBe(false)
  expect(pausing.state()).toEqual({ all: true, some: 2, staleMs: 0 })
  look()
  expect(did.at(-1)).toBe('open')
})

test('F4: health says when pauses cannot be read for long', async () => {
  const { pausing, look } = await setUp()
  look()
  now += 4_999
  expect(pausing.state().staleMs).toBe(0)
  now += 1
  expect(pausing.state().staleMs).toBe(5_000)
})
