import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { confirm, questionOf } from '../../../src/infrastructure/cli/troubleshooting/confirm.ts'

const group = (domain: string, errorCode: string, count: number) => ({ domain, errorCode, count })

test('the question before an action on many names the action, how many, and which', () => {
  expect(questionOf('complete', [group('notifications', 'TypeError', 6)])).toEqual({
    question: 'Complete 6 commands of notifications (TypeError)?',
    count: 6,
  })
  const many = ['a', 'b', 'c', 'd', 'e'].map(domain => group(domain, '', 1))
  expect(questionOf('retry', many).question).toBe('Retry 5 commands of a, b, c and 2 more?')
})

test.each([
  ['y\n', true],
  ['Yes\n', true],
  ['n\n', false],
  ['\n', false],
  ['', false],
])('the answer %j is taken as yes: %s', async (answer, yes) => {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const asked = confirm('Retry 2 commands?', input, output)
  input.end(answer)
  if (yes) await asked
  else await expect(asked).rejects.toThrow('not confirmed')
  expect(String(output.read())).toContain('Retry 2 commands? [y/N] ')
})
