import { afterEach, expect, test, vi } from 'vitest'
import { startPhases, startProgress } from '../../src/infrastructure/cli/text/progress.ts'

const onTerminal = (isTTY: boolean) => {
  const written: string[] = []
  vi.spyOn(process, 'stderr', 'get').mockReturnValue({
    isTTY,
    write: (text: string) => written.push(text) > 0,
  } as unknown as typeof process.stderr)
  return written
}
afterEach(() => vi.restoreAllMocks())

test('a bar shows how much is done, makes room for lines, and is gone at the end', () => {
  vi.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValueOnce(0).mockReturnValue(500)
  const written = onTerminal(true)
  const bar = startProgress('events', 20)
  expect(written.pop()).toBe(`\r\u001b[K${'░'.repeat(40)} 0 of 20 events`)
  for (let i = 0; i < 5; i++) bar.step()
  bar.to(10, 40)
  expect(written.at(-1)).toBe(`\r\u001b[K${'█'.repeat(2)}${'░'.repeat(38)} 1 of 20 events`)
  bar.above(() => written.push('a line\n'))
  expect(written.slice(-2)).toEqual(['\r\u001b[K', 'a line\n'])
  bar.end()
  expect(written.at(-1)).toBe('\r\u001b[K')
})

test('more than there should be fills the bar, and no bar is drawn more often than ten times a second', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(1_000)
  const written = onTerminal(true)
  const bar = startProgress('events', 20)
  for (let i = 0; i < 30; i++) bar.step()
  expect(written).toHaveLength(1)
  now.mockReturnValue(1_100)
  bar.step()
  expect(written.at(-1)).toBe(`\r\u001b[K${'█'.repeat(40)} 31 of 20 events`)
})

test('there is no bar for short work, nor where nobody watches', () => {
  const written = onTerminal(true)
  startProgress('events', 9).step()
  const piped = onTerminal(false)
  const phases = startPhases({ copying: 'events copied' })
  phases.onProgress({ phase: 'copying', done: 5, total: 50 })
  phases.end()
  expect([...written, ...piped]).toEqual([])
})
