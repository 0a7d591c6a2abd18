import { emitKeypressEvents, type Key } from 'node:readline'
import type { CommandHistory } from '../../application/read-history.ts'
import { print } from './output.ts'
import { stateText, stepText } from './replay-text.ts'

const keys = 'Enter or right: next, left: back, Home: first, End: last, q: quit'

/** One step at a time, forward and back, on a terminal; all of them, one after the other, where there is none. */
export const showSteps = async (history: CommandHistory): Promise<void> => {
  const pages = history.items.map(
    (step, i) => `${stepText(step)}\n\nState after ${i + 1} of ${history.items.length}\n${stateText(step.state)}`,
  )
  if (pages.length === 0) return print('Nothing had happened by then.')
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
    for (const page of pages) print(`${page}\n`)
    return
  }
  await walk(pages)
}

const walk = (pages: readonly string[]): Promise<void> =>
  new Promise(resolve => {
    const { stdin } = process
    let at = 0
    const draw = (): void => print(`\u001b[2J\u001b[H${pages[at]}\n\n${keys}`)
    const end = (): void => {
      stdin.off('keypress', onKey)
      stdin.setRawMode(false)
      stdin.pause()
      resolve()
    }
    const onKey = (_: string, key: Key): void => {
      const next = key.ctrl === true && key.name === 'c' ? null : move(at, key.name, pages.length)
      at = next ?? at
      if (next === null) end()
      else draw()
    }
    emitKeypressEvents(stdin)
    stdin.setRawMode(true)
    stdin.resume()
    stdin.on('keypress', onKey)
    draw()
  })

/** Where a key leads; null: out. */
const move = (at: number, key: string | undefined, count: number): number | null => {
  switch (key) {
    case 'q':
    case 'escape':
      return null
    case 'left':
    case 'up':
    case 'p':
    case 'backspace':
      return Math.max(0, at - 1)
    case 'home':
      return 0
    case 'end':
      return count - 1
    case 'return':
    case 'enter':
    case 'space':
    case 'right':
    case 'down':
    case 'n':
      return Math.min(count - 1, at + 1)
    default:
      return at
  }
}
