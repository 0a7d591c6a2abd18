import { describe, expect, test } from 'vitest'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
const unknown = '7e0b7c1e-59f4-4bd0-9f3c-00000000dead'

describe('bad input', () => {
  const nowhere = { env: { DATABASE_URL: 'postgres://u:topsecret@127.0.0.1:1/none' } }
  const cases: readonly (readonly [args: readonly string[], sentence: string])[] = [
    [['tsq', 'cancel', unknown, '--reason', '  '], 'reason: must not be blank'],
    [['tsq', 'cancel', unknown], "required option '--reason <text>' not specified"],
    [['tsq', 'retry', 'x', '--operator', 'jane'], "commandId: 'x' is not a valid id: use a UUID"],
    [['tsq', 'retry', unknown, '--operator', ' '], 'operator: must not be blank'],
    [['tsq', 'retry'], "missing required argument 'ids'"],
    [['tsq', 'retry', unknown, unknown.replace('dead', 'beef'), '--data', '1'], '--data edits one command'],
    [['tsq', 'complete', unknown, '--reason', 'x', '--result', '{'], '--result is not JSON'],
    [['list', '--status', 'LOST'], 'status: must be one of PENDING, IN_PROGRESS'],
    [
      ['audit', unknown, '--event', 'parked'],
      "eventType: 'PARKED' is not an event type: use one of SENT, RECEIVED, FAILED, RETRY_SCHEDULED, MOVED_TO_TROUBLESHOOTING_QUEUE, BUSINESS_RULE_FAILED, RETRY_EXHAUSTED, COMPLETED, CANCELED, RESCHEDULED, COMMAND_EXPIRED, OPERATOR_RETRY, OPERATOR_CANCEL, OPERATOR_COMPLETE, OPERATOR_SNOOZE, OPERATOR_NOTE, OPERATOR_ASSIGN, OPERATOR_TAG, OPERATOR_END_ATTEMPT, MOVED_TO_TSQ",
    ],
    [['runs', 'list', '--status', 'LOST'], 'status: must be one of QUEUED, RUNNING, COMPLETED, COMPLETED_WITH_ERRORS'],
    [['operations', 'list', '--status', 'LOST'], 'status: must be one of pending, processing, completed, failed'],
    [['list', '--limit', '501'], 'limit: must be a whole number from 1 to 500'],
    [['list', '--created-after', 'yesterday'], 'createdAfter: must be an ISO 8601 date or time'],
    [['list', '--domain', 'a b'], "domain: 'a b' is not a valid domain name"],
    [['replies', 'read', 'Q;'], "queue: 'Q;' is not a valid queue name"],
    [['replies', 'read', 'q', '--count', '0'], '--count: must be a whole number from 1 to 1000'],
    [['worker'], 'choose what to handle: --handlers <module>, or --demo'],
    [['worker', '--demo', '--concurrency', '0'], '--concurrency: must be from 1 to 1000'],
    [['worker', '--demo', '--handler-timeout', '0'], '--handler-timeout: must be from 1 to 2147483'],
    [['worker', '--demo', '--defer-unknown', '0'], '--defer-unknown: must be from 1 to 86400'],
    [['worker', '--handlers', '/no/such.js'], "/no/such.js cannot be loaded (Cannot find module '/no/such.js')"],
    [
      ['shwo'],
      "unknown command 'shwo' (Did you mean show?). Usage: commandbus [options] [command]; commandbus --help explains it",
    ],
    [
      ['send', 'demo', 'Add', '{}'],
      "too many arguments for 'send'. Expected 2 arguments but got 3. Usage: commandbus send [options] <domain> <type>; commandbus send --help explains it",
    ],
    [
      ['tsq', 'note', unknown, '--text', 'x', '--txet', 'x'],
      'Usage: commandbus tsq note [options] [ids...]; commandbus tsq note --help explains it',
    ],
    [['start', '--port', 'http'], '--port must be a port number from 0 to 65535'],
  ]

  test.each(cases)('%j is refused', async (args, sentence) => {
    const answer = await program.run(args, nowhere)
    expect(answer).toMatchObject({ code: 2, stdout: '' })
    expect(answer.stderr).toContain(sentence)
    expect(answer.stderr).not.toMatch(/topsecret|at .*\.js:/)
  })

  test('shows help for a group without a command, and on request', async () => {
    expect(await program.run(['tsq'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('Usage: commandbus tsq'),
    })
    expect(await program.run(['--help'])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('Exit codes'),
    })
    expect((await program.run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
