import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import type { LiveEvent } from '../../src/application/ports/reading/live-events.ts'
import { writeEvents } from '../../src/infrastructure/live/sse.ts'

/** Characters that some program treats as the end of a line: Python, JavaScript, Unicode, a terminal. */
const ENDS = ['\n', '\r', '\r\n', '\n\n', '\v', '\f', '\u001c', '\u001d', '\u001e', '\u0085', '\u2028', '\u2029']
const nasty = `${ENDS.map(end => `a${end}b${end}${end}data: c`).join('')}\u0000\ufeff\ud800`

const eventWith = (correlationId: string): LiveEvent => ({
  position: '7/1',
  stream: 'command-1',
  revision: 0,
  type: 'CommandSent',
  commandType: 'Charge',
  run: null,
  at: '2026-01-01T00:00:00.000Z',
  recordedAt: '2026-01-01T00:00:00.000Z',
  actor: correlationId,
  domain: 'payments',
  commandId: '1',
  tenantId: null,
  correlationId,
  status: 'PENDING',
})

const written = async (event: LiveEvent): Promise<string> => {
  const out = new PassThrough()
  const whole = text(out)
  async function* events() {
    yield event
  }
  await writeEvents(out, Object.assign(events(), { reached: () => '6/1', close: () => {} }))
  return whole
}

test('a live event is one line by every definition of line ends, and is read back whole', async () => {
  const line = (await written(eventWith(nasty))).split(/\n/).filter(one => one.startsWith('data: '))
  expect(line).toHaveLength(1)
  expect(line[0]).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
  expect(JSON.parse((line[0] ?? '').slice(6))).toEqual(eventWith(nasty))
})
