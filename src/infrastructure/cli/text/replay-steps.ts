import { emitKeypressEvents, type Key } from 'node:readline'
import type { Step } from '../../../domain/history.ts'
import { print } from './output.ts'
import { stepText } from './replay-text.ts'

const keys = 'Enter or right: next, left: back, Home: first, End: last, q: quit'

/** Shows a history one event at a time, each with the state after it, as `stateOf` prints it. */
export const showSteps = async <A extends Step<unknown, unknown>>(
  items: readonly A[],
  stateOf: (step: A, place: number) => string,
): Promise<void> => {
  if (items.length === 0) return print('Nothing had happened by then.')
  // made on demand, because the state of a large run is long
  const page = (i: number): string => {
    const step = items[i] as A
    return `${stepText(step)}\n\nState after ${i + 1} of ${items.length}\n${stateOf(step, i)}`
  }
  if (process.stdin.isTTY === true && process.stdout.isTTY === true) return walk(items.length, page)
  for (let i = 0; i < items.length; i++) print(`${page(i)}\n`)
}

/** Forward and back by keys, on a terminal. */
const walk = (count: number, page: (place: number) => string): Promise<void> =>
  new Promise(resolve => {
    const { stdin } = process
    let at = 0
    const draw = (): void => {
      process.stdout.write('\u001b[2J\u001b[H')
      print(`${page(at)}\n\n${keys}`)
    }
    const end = (): void => {
      stdin.off('keypress', onKey)
      stdin.setRawMode(false)
      stdin.pause()
      resolve()
    }
    const onKey = (_: string, key: Key): void => {
      const next = key.ctrl === true && key.name === 'c' ? null : move(at, key.name, count)
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

/** The page that a key leads to; null: quit. */
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
