import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Frame, readFrames } from '../../../web/src/api/sse.ts'

const cut = (whole: string, size: number): ReadableStream<Uint8Array> => {
  const bytes = new TextEncoder().encode(whole)
  return new ReadableStream({
    start: controller => {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
      controller.close()
    },
  })
}

const read = async (whole: string, size: number): Promise<readonly Frame[]> => {
  const frames: Frame[] = []
  for await (const frame of readFrames(cut(whole, size))) frames.push(frame)
  return frames
}

describe('live events as the console reads them', () => {
  test('arrive complete, whatever is in their strings and wherever the network splits them', async () => {
    const text = fc
      .array(
        fc.oneof(
          fc.constantFrom('\n', '\r', '\u0085', '\u2028', '\u2029', 'data: ', '😀'),
          fc.string({ unit: 'binary' }),
        ),
      )
      .map(parts => parts.join(''))
    await fc.assert(
      fc.asyncProperty(text, text, fc.integer({ min: 1, max: 40 }), async (first, second, size) => {
        const whole = [first, second]
          .map((one, i) => `id: ${i}\nevent: message\ndata: ${JSON.stringify(one)}\n\n`)
          .join('')
        const frames = await read(whole, size)
        expect(frames.map(({ id }) => id)).toEqual(['0', '1'])
        expect(frames.map(({ data }) => JSON.parse(data))).toEqual([first, second])
      }),
    )
  })

  test('may use any of the three line ends, and data over several lines', async () => {
    for (const end of ['\n', '\r', '\r\n']) {
      const lines = [
        ': hello',
        'id: 1/1',
        'data: "a\u2028b"',
        '',
        ': still here',
        '',
        'id:2/1',
        'data:{',
        'data:}',
        '',
        '',
      ]
      for (const size of [1, 2, 3, 1_000]) {
        expect(await read(lines.join(end), size)).toEqual([
          { id: '1/1', data: '"a\u2028b"' },
          { id: null, data: '' },
          { id: '2/1', data: '{\n}' },
        ])
      }
    }
  })
})
