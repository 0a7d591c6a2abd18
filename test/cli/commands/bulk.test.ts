import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { PermanentCommandError } from '../../../src/index.ts'
import { onceEach, parkMany, tracesOf } from '../../support/actions.ts'
import { createTestBus, type TestBus } from '../../support/bus.ts'
import { lineOf, useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
const on = ({ database }: TestBus) => ({ env: { DATABASE_URL: database.url } })
const jane = ['--operator', 'jane']
const unknown = '7e0b7c1e-59f4-4bd0-9f3c-00000000dead'

describe('many parked commands', () => {
  test('are retried by a filter: all of them, and nothing else', async () => {
    const setup = await createTestBus()
    await parkMany(setup.pool, 1500)
    await parkMany(setup.pool, 2, { errorCode: 'TIMEOUT' })
    const answer = await program.run(['tsq', 'retry', '--error-code', 'CARD_DECLINED', ...jane], on(setup))
    expect(answer).toMatchObject({ code: 0, stdout: 'Retried 1500 of 1500.\n' })
    expect(answer.stderr).toMatch(/^Action \S+: 1500 commands\. .*\n {2}commandbus tsq actions resume \S+\n/)
    expect(await tracesOf(setup.pool)).toMatchObject({
      audit: { OPERATOR_RETRY: onceEach(1500) },
      rows: { PENDING: 1500, IN_TROUBLESHOOTING_QUEUE: 2 },
    })
    const none = await program.run(['tsq', 'retry', '--error-code', 'CARD_DECLINED', ...jane], on(setup))
    expect(none).toMatchObject({ code: 0, stdout: 'Nothing that fits is parked.\n', stderr: '' })
  })

  test('are canceled or completed', async () => {
    const setup = await createTestBus()
    await parkMany(setup.pool, 3, { replyTo: 'replies', commandType: 'Refund' })
    await parkMany(setup.pool, 2, { replyTo: 'replies' })
    const flags = ['--type', 'Refund', '--result', '{"by": "hand"}', '--reason', 'paid by cheque', '--json', ...jane]
    const completed = await program.run(['tsq', 'complete', ...flags], on(setup))
    expect(completed).toMatchObject({ code: 0, stderr: '' })
    expect(completed.json()).toMatchObject({ action: 'complete', status: 'COMPLETED', total: 3, succeeded: 3 })
    const canceled = await program.run(['tsq', 'cancel', '--all', '--reason', 'gone', ...jane], on(setup))
    expect(canceled).toMatchObject({ code: 0, stdout: 'Canceled 2 of 2.\n' })
    expect(await tracesOf(setup.pool)).toMatchObject({ rows: { COMPLETED: 3, CANCELED: 2 }, replies: onceEach(5) })
  })

  test('of which some cannot be done: the others are, and the exit code is 1', async () => {
    const setup = await createTestBus()
    const [bad = ''] = await parkMany(setup.pool, 5)
    await setup.pool.query(`create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'this one is refused'; end $$;
      create trigger refuse before insert on pgmq.q_payments__commands for each row
        when (new.message->>'command_id' = '${bad}') execute function refuse()`)
    const answer = await program.run(['tsq', 'retry', '--domain', 'payments', ...jane], on(setup))
    expect(answer.code).toBe(1)
    expect(answer.stdout).toMatch(/^Retried 4 of 5; 1 failed, 0 skipped\.\n/)
    expect(answer.stdout).toMatch(new RegExp(`${bad} +payments +FAILED +this one is refused`))
  })

  test('follow their canary, or stay parked when it fails', async () => {
    const setup = await createTestBus()
    await parkMany(setup.pool, 5)
    const worker = await setup.work({ domain: 'payments', handlers: { Charge: () => 'done' } })
    const good = await program.run(['tsq', 'retry', '--all', '--canary', '2', ...jane], on(setup))
    expect(good).toMatchObject({ code: 0, stdout: 'Retried 5 of 5.\n' })
    // commands after the canary were sent, and some may be open: the next worker would take and park them
    await setup.until(
      () => setup.bus.queryCommands({ status: 'COMPLETED' }),
      ({ items }) => items.length === 5,
    )
    await worker.stop()

    await parkMany(setup.pool, 5)
    const Charge = () => {
      throw new PermanentCommandError('STILL_DECLINED', 'no')
    }
    await setup.work({ domain: 'payments', handlers: { Charge } })
    const bad = await program.run(['tsq', 'retry', '--all', '--canary', '2', ...jane], on(setup))
    expect(bad.code).toBe(1)
    expect(bad.stdout).toMatch(/^Retried 2 of 5; 0 failed, 3 skipped\.\nIt ended early: the canary failed: .*STILL_/)
  })

  test('O1: go in stages by their flags, are paused and resumed, and show what became of them', async () => {
    const setup = await createTestBus()
    await parkMany(setup.pool, 3)
    await parkMany(setup.pool, 1, { data: { bad: true } })
    const flags = ['--stages', '50,100', '--rate', '500', '--stop-when', 'share=90%', '--between', '00:00-23:59']
    const first = program.launch(['tsq', 'retry', '--all', ...flags, '--time-zone', 'UTC', ...jane], on(setup))
    const gone = once(first, 'exit')
    await lineOf(first, 'stderr', line => line.startsWith('Stage 1 of 2 is sent: waiting for 2 commands'))
    first.kill('SIGINT')
    await gone
    const [action] = (await program.run(['tsq', 'actions', '--json'], on(setup))).json().items
    const id = String(action?.actionId)
    const paused = await program.run(
      ['tsq', 'actions', 'pause', id, '--reason', 'lunch', '--operator', 'joe'],
      on(setup),
    )
    expect(paused).toMatchObject({ code: 0, stdout: `Action ${id} is PAUSED: 2 of 4 were done.\n` })
    const Charge = (data: unknown) => {
      if ((data as { bad?: true }).bad) throw new PermanentCommandError('AGAIN', 'no')
    }
    await setup.work({ domain: 'payments', handlers: { Charge } })
    const resumed = await program.run(['tsq', 'actions', 'resume', id, '--operator', 'ann'], on(setup))
    expect(resumed).toMatchObject({ code: 0, stdout: 'Retried 4 of 4.\n' })
    expect(resumed.stderr).toMatch(
      /So far: 4 sent again: \d completed, \d parked again, \d running\. Later: commandbus tsq/,
    )
    await setup.until(
      () => setup.bus.actions.get(id),
      view => view?.became?.running === 0,
    )
    const shown = (await program.run(['tsq', 'actions', id], on(setup))).stdout
    expect(shown).toContain('4 sent again: 3 completed, 1 parked again, 0 running')
    expect(shown).toMatch(/PAUSED +1 +2 +joe +paused by joe: lunch/)
    expect(shown).toMatch(/PARKED AGAIN +AGAIN/)
    const again = await program.run(['tsq', 'actions', id, '--became', 'in_troubleshooting_queue', '--json'], on(setup))
    expect(again.json()).toMatchObject({ items: { items: [{ becameCode: 'AGAIN' }] } })
  })

  test('O2: are carried out exactly as the dry run has shown them, or not at all', async () => {
    const setup = await createTestBus()
    const [id = ''] = await parkMany(setup.pool, 2)
    const retry = (...more: string[]) =>
      program.run(['tsq', 'retry', '--domain', 'payments', ...more, ...jane], on(setup))
    const dry = await retry('--dry-run')
    const token = /To carry out exactly this: the same command with --plan (\S+)$/m.exec(dry.stdout)?.[1] ?? ''
    await parkMany(setup.pool, 1)
    const refused = await retry('--plan', token)
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toMatch(
      /commands have changed since the plan was made \(1 added; first: \S+\); nothing was done/,
    )
    const { planToken } = (await retry('--dry-run', '--json')).json()
    expect(await retry('--plan', String(planToken))).toMatchObject({ code: 0, stdout: 'Retried 3 of 3.\n' })
    const single = await program.run(['tsq', 'retry', id, '--dry-run', ...jane], on(setup))
    expect(single).toMatchObject({ code: 1, stdout: '' })
  })

  test('go on after an interruption', async () => {
    const setup = await createTestBus()
    await parkMany(setup.pool, 5)
    const first = program.launch(['tsq', 'retry', '--all', '--canary', '2', ...jane], on(setup))
    const gone = once(first, 'exit')
    await lineOf(first, 'stderr', line => line.startsWith('Waiting for the canary: 2 commands'))
    first.kill('SIGINT')
    expect(await gone).toEqual([130, null])

    const list = (await program.run(['tsq', 'actions', '--json'], on(setup))).json()
    const [action] = list.items
    expect(action).toMatchObject({ status: 'WAITING_FOR_CANARY', total: 5, succeeded: 2 })
    const id = String(action?.actionId)
    expect((await program.run(['tsq', 'actions'], on(setup))).stdout).toMatch(
      new RegExp(`${id} +retry +WAITING_FOR_CANARY +5 +2 +0 +0 +jane`),
    )
    await setup.work({ domain: 'payments', handlers: { Charge: () => 'done' } })
    const resumed = await program.run(['tsq', 'actions', 'resume', id], on(setup))
    expect(resumed).toMatchObject({ code: 0, stdout: 'Retried 5 of 5.\n' })
    expect((await tracesOf(setup.pool)).audit).toEqual({ OPERATOR_RETRY: onceEach(5) })
    const again = await program.run(['tsq', 'actions', 'resume', id, '--json'], on(setup))
    expect(again).toMatchObject({ code: 0, stderr: '' })
    expect(again.json()).toMatchObject({ status: 'COMPLETED' })
  })

  test('stay parked once their action is stopped; the result of each is shown', async () => {
    const setup = await createTestBus()
    await parkMany(setup.pool, 3)
    const { actionId } = await setup.bus.actions.start({ action: 'retry', filter: {}, canary: 1, operator: 'jane' })
    const stopped = await program.run(['tsq', 'actions', 'stop', actionId, '--operator', 'joe'], on(setup))
    expect(stopped).toMatchObject({ code: 0, stdout: `Action ${actionId} is STOPPED: 0 of 3 were done.\n` })
    const shown = await program.run(['tsq', 'actions', actionId, '--outcome', 'skipped', '--limit', '2'], on(setup))
    expect(shown.stdout).toMatch(/Status +STOPPED\nEnded early +stopped by joe/)
    expect(shown.stdout).toMatch(/SKIPPED +stopped by joe\n[\s\S]*Next page: repeat with --cursor 2/)
    const json = (await program.run(['tsq', 'actions', actionId, '--json'], on(setup))).json()
    expect(json).toMatchObject({ skipped: 3, items: { items: [{ ordinal: 1 }, { ordinal: 2 }, { ordinal: 3 }] } })
    const again = await program.run(['tsq', 'actions', 'show', actionId, '--limit', '1', '--json'], on(setup))
    expect(again.json()).toMatchObject({ status: 'STOPPED', items: { items: [{ ordinal: 1 }], nextCursor: '1' } })
    const list = await program.run(['tsq', 'actions', 'list', '--status', 'stopped', '--json'], on(setup))
    expect(list.json()).toMatchObject({ items: [{ actionId }], nextCursor: null })
    const none = await program.run(['tsq', 'actions', unknown], on(setup))
    expect(none).toMatchObject({ code: 1, stderr: `commandbus: no action ${unknown}\n` })
  })
})

describe('bad input', () => {
  const nowhere = { env: { DATABASE_URL: 'postgres://u:p@127.0.0.1:1/none' } }
  const cases: readonly (readonly [args: readonly string[], sentence: string])[] = [
    [['retry'], 'name commands, choose them (--error-code ...), or say --all'],
    [['retry', unknown, '--error-code', 'X'], 'name commands by id, or choose them with flags, not both'],
    [['cancel', unknown, '--all', '--reason', 'x'], 'name commands by id, or choose them with flags, not both'],
    [['complete', '--all', '--type', 'X', '--reason', 'x'], '--all means everything that is parked'],
    [['retry', '--all', '--data', '1'], '--data edits one command'],
    [['retry', unknown, '--canary', '1'], '--canary is for many commands'],
    [['retry', '--all', '--canary', '0'], 'canary: must be a whole number from 1'],
    [['cancel', '--all'], "required option '--reason <text>' not specified"],
    [['complete', '--all'], "required option '--reason <text>' not specified"],
    [['retry', unknown, '--rate', '5'], '--stages, --rate and the like are for many commands'],
    [['retry', '--all', '--stages', '1,x'], '--stages must be percentages, like 1,5,25,100'],
    [['retry', '--all', '--stages', '1,5'], 'stages: must be up to 20 rising percentages that end in 100'],
    [['retry', '--all', '--stop-when', 'often'], '--stop-when must be rules, like share=5%'],
    [['retry', '--all', '--between', '9-17'], '--between must be hours, like 09:00-17:00'],
    [['retry', '--all', '--time-zone', 'UTC'], '--time-zone is about --between'],
    [['retry', '--all', '--rate', 'fast'], '--rate must be a number'],
    [['retry', '--all', '--plan', 'x'], '--plan must be what a dry run printed'],
    [['retry', unknown, unknown.replace('7', '8'), '--plan', 'x'], '--plan is for one command'],
    [['retry', '--from', 'yesterday'], 'filter.from: must be an ISO 8601 date or time'],
    [['actions', 'x'], "actionId: 'x' is not a valid id"],
    [['actions', 'show', 'x'], "actionId: 'x' is not a valid id"],
    [['actions', 'list', '--status', 'DONE'], 'status: must be one of RUNNING, WAITING_FOR_CANARY, COMPLETED'],
    [['actions', 'list', '--outcome', 'FAILED'], '--outcome is about the items of one action'],
    [['actions', unknown, '--status', 'RUNNING'], '--status is about the list of actions'],
    [['actions', unknown, '--outcome', 'LOST'], 'outcome: must be one of SUCCEEDED, FAILED, SKIPPED, not LOST'],
  ]
  test.each(cases)('tsq %j is refused', async (args, sentence) => {
    const answer = await program.run(['tsq', ...args], nowhere)
    expect(answer).toMatchObject({ code: 2, stdout: '' })
    expect(answer.stderr).toContain(sentence)
  })
})
