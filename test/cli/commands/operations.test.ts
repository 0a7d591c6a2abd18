import { once } from 'node:events'
import { userInfo } from 'node:os'
import { describe, expect, test } from 'vitest'
import { errorMessage } from '../../../src/domain/operation/error-catalogue.ts'
import { PermanentCommandError } from '../../../src/index.ts'
import { createTestBus, type TestBus } from '../../support/bus.ts'
import { lineOf, useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
const unknown = '7e0b7c1e-59f4-4bd0-9f3c-00000000dead'
const on = ({ database }: TestBus) => ({ env: { DATABASE_URL: database.url } })
const ada = { subject: 'ada', tenant: null }
const question = { operation_type: 'question_generation', session_id: 's-1', parameters: { topic: 'x' } }

const isOver = ({ status }: { readonly status: string }): boolean => status === 'completed' || status === 'failed'

/** An operation of Ada's that failed permanently. */
const failed = async (test: TestBus): Promise<string> => {
  const { id } = await test.bus.operations.start(ada, question)
  const refuse = () => {
    throw new PermanentCommandError('UNAUTHORIZED', 'the model answered 401')
  }
  const worker = await test.work({ domain: 'operations', handlers: { '*': refuse } })
  await test.until(() => test.bus.operations.get(ada, id), isOver)
  await worker.stop()
  return id
}

describe('operations start', () => {
  test("starts one with session and message; its owner is the system's user by default", async () => {
    const setup = await createTestBus()
    const flags = ['--data', '{"topic": "x"}', '--session', 's-1', '--message', 'm-1', '--tenant', 't1']
    const answer = await program.run(['operations', 'start', 'question_generation', ...flags, '--json'], on(setup))
    expect(answer).toMatchObject({ code: 0, stderr: '' })
    const id = String(answer.json().id)
    const owner = { subject: userInfo().username, tenant: 't1' }
    expect(answer.json()).toEqual({ ...(await setup.bus.operations.get(owner, id)) })
    expect(answer.json()).toMatchObject({ status: 'pending', session_id: 's-1', message_id: 'm-1', retry_count: 0 })
    expect(await setup.bus.getCommand('operations', id)).toMatchObject({
      commandType: 'question_generation',
      ownerId: owner.subject,
      tenantId: 't1',
      data: { parameters: { topic: 'x' } },
      maxAttempts: 4,
    })
    const plain = await program.run(['operations', 'start', 'Summarise', '--data', '1', '--owner', 'ada'], on(setup))
    expect(plain.stdout).toMatch(/^Started Summarise: operation [0-9a-f-]{36} is pending\.\n$/)
  })
})

describe('operations show', () => {
  test('B2: says what happened and what to do', async () => {
    const setup = await createTestBus()
    const id = await failed(setup)
    const { stdout, code } = await program.run(['operations', 'show', id, '--owner', 'ada'], on(setup))
    expect(code).toBe(0)
    expect(stdout).toMatch(/Status +failed\nError +The AI service refused our credentials\.\nWhat to do +Ask an admin/)
    expect(stdout).toMatch(/May be retried +yes\nSession +s-1\n/)
    const json = await program.run(['operations', 'show', id, '--owner', 'ada', '--json'], on(setup))
    expect(json.json()).toMatchObject({ id, error_message: errorMessage('UNAUTHORIZED'), retriable: true })
  })
})

describe('operations list', () => {
  test("lists the owner's own, by status, in pages", async () => {
    const setup = await createTestBus()
    const old = await failed(setup)
    const ids = [
      (await setup.bus.operations.start(ada, question)).id,
      (await setup.bus.operations.start(ada, question)).id,
    ]
    await setup.bus.operations.start({ subject: 'bob', tenant: null }, question)
    const list = async (...flags: string[]) =>
      program.run(['operations', 'list', '--owner', 'ada', ...flags], on(setup))
    const first = (await list('--limit', '1', '--status', 'PENDING', '--json')).json()
    const second = (await list('--limit', '1', '--status', 'pending', '--json', '--cursor', first.nextCursor)).json()
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids.toReversed())
    expect((await list('--status', 'failed')).stdout).toMatch(
      new RegExp(
        `^OPERATION +TYPE +STATUS +RETRIES +CREATED +ERROR\n${old} +question_generation +failed +0 +.*refused`,
      ),
    )
    expect((await list('--limit', '2')).stdout).toMatch(/Next page: repeat with --cursor \S+, or all with --all\n$/)
    expect((await list('--status', 'completed')).stdout).toBe('No operations.\n')
  })
})

describe('operations retry', () => {
  test('B3, B5: makes a child of a failed one, the same one again when asked twice, and it runs', async () => {
    const setup = await createTestBus()
    const id = await failed(setup)
    const retry = (...flags: string[]) =>
      program.run(['operations', 'retry', id, '--owner', 'ada', ...flags], on(setup))
    const answer = await retry('--json')
    expect(answer).toMatchObject({ code: 0, stderr: '' })
    expect(answer.json()).toMatchObject({
      parent_operation_id: id,
      retry_count: 1,
      status: 'pending',
      session_id: 's-1',
    })
    const child = String(answer.json().id)
    expect((await retry()).stdout).toBe(`Operation ${id} is retried by operation ${child}, which is pending.\n`)
    await setup.work({ domain: 'operations', handlers: { '*': () => ({ questions: ['Why?'] }) } })
    await setup.until(() => setup.bus.operations.get(ada, child), isOver)
    const shown = await program.run(['operations', 'show', child, '--owner', 'ada'], on(setup))
    expect(shown.stdout).toMatch(new RegExp(`Status +completed\nRetry of +${id}\nRetries so far +1\n`))
    expect(shown.stdout).toContain('Result\n{\n  "questions": [')
  })

  test('B4: refuses what is unknown, not failed, or somebody else’s, and makes nothing', async () => {
    const setup = await createTestBus()
    const id = await failed(setup)
    const pending = await setup.bus.operations.start(ada, question)
    const refusals: readonly (readonly [id: string, owner: string, code: string, message: string])[] = [
      [unknown, 'ada', 'OPERATION_NOT_FOUND', 'Operation not found'],
      [pending.id, 'ada', 'INVALID_REQUEST', 'Can only retry failed operations'],
      [id, 'bob', 'FORBIDDEN', 'Unauthorized to retry this operation'],
    ]
    for (const [which, owner, code, message] of refusals) {
      const args = ['operations', 'retry', which, '--owner', owner]
      const answer = await program.run([...args, '--json'], on(setup))
      expect(answer).toMatchObject({ code: 1, stdout: '' })
      expect(answer.json().error).toEqual({ code, message })
      expect((await program.run(args, on(setup))).stderr).toBe(`commandbus: ${message}\n`)
    }
    expect((await setup.bus.queryCommands({ domain: 'operations' })).items).toHaveLength(2)
  })
})

describe('invalid operations commands', () => {
  const nowhere = { env: { DATABASE_URL: 'postgres://u:topsecret@127.0.0.1:1/none' } }
  const cases: readonly (readonly [args: readonly string[], sentence: string])[] = [
    [['start', 'x y', '--data', '1'], "commandType: 'x y' is not a valid command type"],
    [['start', 'x'], "required option '--data <json>' not specified"],
    [['start', 'x', '--data', '{'], '--data is not JSON'],
    [['start', 'x', '--data', '1', '--session', ' '], 'session: must not be blank'],
    [['show', 'x'], "id: 'x' is not a valid id: use a UUID"],
    [['show', unknown, '--owner', ''], 'owner: must not be blank'],
    [['list', '--status', 'done'], 'status: must be one of pending, processing, completed, failed'],
    [['list', '--limit', '0'], 'limit: must be a whole number from 1 to 500'],
    [['retry'], "missing required argument 'id'"],
    [[], 'Usage: commandbus operations'],
  ]

  test.each(cases)('%j is refused', async (args, sentence) => {
    const answer = await program.run(['operations', ...args], nowhere)
    expect(answer).toMatchObject({ code: 2, stdout: '' })
    expect(answer.stderr).toContain(sentence)
  })
})

describe('worker --demo', () => {
  test('B1: does what parameters.behavior says, by the attempts of an operation’s whole life', async () => {
    const { bus, database, until } = await createTestBus()
    const worker = program.launch(['worker', '--demo'], { env: { DATABASE_URL: database.url } })
    expect(await lineOf(worker, 'stdout', line => line.startsWith('Working'))).toBe(
      'Working on demo, operations, workflow. Ctrl-C stops.',
    )
    const ends = async (behavior: object) => {
      const { id } = await bus.operations.start(ada, { ...question, parameters: { behavior } })
      return until(() => bus.operations.get(ada, id), isOver)
    }
    const [well, healed, refused, ruled, plain] = await Promise.all([
      ends({ result: { questions: [] } }),
      ends({ failTransientTimes: 1, errorCode: 'SERVER_ERROR' }),
      ends({ permanent: true, errorCode: 'UNAUTHORIZED' }),
      ends({ businessRule: true, errorCode: 'PAYMENT_REQUIRED' }),
      ends({}),
    ])
    expect(well).toMatchObject({ status: 'completed', result: { questions: [] } })
    expect(await bus.getCommand('operations', healed.id)).toMatchObject({ status: 'COMPLETED', totalAttempts: 2 })
    expect(refused).toMatchObject({ status: 'failed', error_message: errorMessage('UNAUTHORIZED') })
    expect(ruled).toMatchObject({ status: 'failed', error_message: errorMessage('PAYMENT_REQUIRED') })
    expect(plain).toMatchObject({ status: 'completed', result: { ok: true } })
    worker.kill('SIGTERM')
    expect(await once(worker, 'exit')).toEqual([0, null])
  })

  test('works only on the named one of its domains', async () => {
    const { database } = await createTestBus()
    const env = { DATABASE_URL: database.url }
    const worker = program.launch(['worker', '--demo', '--domain', 'operations'], { env })
    expect(await lineOf(worker, 'stdout', line => line !== '')).toBe('Working on operations. Ctrl-C stops.')
    worker.kill('SIGTERM')
    await once(worker, 'exit')
    const other = await program.run(['worker', '--demo', '--domain', 'payments'], { env })
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--demo works on domains demo and operations'),
    })
  })
})
