import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { terminalStatuses, transitions } from '../../src/domain/command/transitions.ts'
import { withGenerated } from '../support/lives/lifecycle-page.ts'

const path = fileURLToPath(new URL('../../docs/lifecycle.md', import.meta.url))
const written = await readFile(path, 'utf8')
const page = withGenerated(written)

describe('docs/lifecycle.md', () => {
  test('agrees with the code; `npm run docs:lifecycle` updates it', async () => {
    await expect(page).toMatchFileSnapshot(path)
  })

  test('A31: shows every step of the table in its diagram, and the ends', () => {
    const arrows = [...page.matchAll(/^ {2}(\S+) --> (\S+)(?:: (\w+))?$/gm)].map(([, from, to, event]) => [
      event,
      from,
      to,
    ])
    const expected = Object.entries(transitions).flatMap(([event, { from, to }]) =>
      from.map(status => [event, status === 'NONE' ? '[*]' : status, to]),
    )
    expect(arrows).toEqual([...expected, ...terminalStatuses.map(status => [undefined, status, '[*]'])])
  })
})

describe('updating the page', () => {
  test('replaces only the text between the markers', () => {
    const damaged = page.replace('stateDiagram-v2', 'an old diagram').replace('| OPERATOR_RETRY |', '| GONE |')
    expect(damaged).not.toBe(page)
    expect(withGenerated(damaged)).toBe(page)
    expect(withGenerated(page)).toBe(page)
  })

  test('names the part whose markers are missing', () => {
    expect(() => withGenerated(page.replace('<!-- generated: table -->', ''))).toThrow("no part 'table'")
  })
})
