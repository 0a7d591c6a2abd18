import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { traceOf } from '../../../src/infrastructure/worker/failures/describe-error.ts'

const here = process.cwd()
const own = join(here, 'src', 'charge.ts')
const url = pathToFileURL(own).href
const library = join(here, 'node_modules', '.pnpm', 'stripe@1', 'node_modules', 'stripe', 'lib', 'request.js')

const thrown = (stack: string, options: ErrorOptions = {}): Error => {
  const error = new Error('no answer', options)
  Object.defineProperty(error, 'stack', { value: `Error: no answer\n${stack}` })
  return error
}

test('O4: frames of a stack have paths from the directory of the process, or from the name of their package', () => {
  const { stack } = traceOf(
    thrown(
      [
        `    at request (${library}:10:5)`,
        `    at async Object.charge [as handle] (${url}:41:11)`,
        `    at ${own}:7:1`,
        `    at outside (${join(here, '..', 'shared', 'x.ts')}:1:1)`,
        '    at far (/opt/elsewhere/y.js:2:3)',
        '    at processTicksAndRejections (node:internal/process/task_queues:95:5)',
        '    at async Promise.all (index 0)',
      ].join('\n'),
    ),
  )
  expect(stack).toBe(
    [
      'Error: no answer',
      '    at request (node_modules/stripe/lib/request.js:10:5)',
      '    at async Object.charge [as handle] (src/charge.ts:41:11)',
      '    at src/charge.ts:7:1',
      '    at outside (../shared/x.ts:1:1)',
      '    at far (/opt/elsewhere/y.js:2:3)',
      '    at processTicksAndRejections (node:internal/process/task_queues:95:5)',
      '    at async Promise.all (index 0)',
    ].join('\n'),
  )
})

test("O4: the place of an error is the first frame of the user's own code, also that of a cause", () => {
  const inPackage = `    at request (${library}:10:5)`
  expect(traceOf(thrown(`${inPackage}\n    at async charge (${url}:41:11)\n    at next (${url}:50:1)`)).frame).toBe(
    'src/charge.ts:41 in charge',
  )
  expect(traceOf(thrown(`    at Object.<anonymous> (${url}:3:1)`)).frame).toBe('src/charge.ts:3')
  expect(traceOf(thrown(`    at new Client (${url}:4:1)`)).frame).toBe('src/charge.ts:4 in new Client')
  const cause = thrown(`    at read (${url}:9:1)`)
  expect(traceOf(thrown(inPackage, { cause })).frame).toBe('src/charge.ts:9 in read')
})

test('O4: without a frame of their own code, errors have no place, and everything else as before', () => {
  for (const frames of [
    '',
    'what another engine prints',
    `    at request (${library}:10:5)`,
    '    at node:internal/main:1:1\n    at <anonymous>',
    '    at eval (eval at <anonymous> (file:///x.ts:1:1), <anonymous>:1:1)',
    `    at ${'('.repeat(60_000)}:1:1`,
  ]) {
    expect(traceOf(thrown(frames))).not.toHaveProperty('frame')
  }
  expect(traceOf('a text')).toEqual({})
})

test('O4: places and frames are without secrets', () => {
  const { stack, frame } = traceOf(thrown(`    at charge (${here}/token=abc123def/x.ts:1:2)`))
  expect(`${stack} ${frame}`).not.toContain('abc123def')
})
