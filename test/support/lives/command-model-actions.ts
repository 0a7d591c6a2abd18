import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect } from 'vitest'
import {
  BusinessRuleError,
  type CommandBus,
  CommandNotFoundError,
  DuplicateCommandError,
  type HandlerContext,
  InvalidOperationError,
  type Json,
  PermanentCommandError,
  TransientCommandError,
} from '../../../src/index.ts'
import { type TestBus, until } from '../bus.ts'
import { end, type Model, type Modelled, retry, type Step, sent, workOff } from './command-model.ts'

/** A bus in which nobody works but when an action says so. */
export interface Real {
  readonly bus: CommandBus
  readonly domain: string
  /** Null: there is no database to send in a transaction of. */
  readonly pool: TestBus['pool'] | null
  /** Works off every command of the domain, with this handler of type `Act`. */
  readonly workOff: (handle: typeof act) => Promise<void>
}
export type Action = fc.AsyncCommand<Model, Real>

const ids: readonly string[] = Array.from({ length: 6 }, () => randomUUID())
const operator = 'jane'

/** The handler does what the payload says. */
const act = async (data: Json, { totalAttempts }: HandlerContext): Promise<Json> => {
  const { script } = data as unknown as { readonly script: readonly Step[] }
  switch (script[(totalAttempts - 1) % script.length]) {
    case 'stumble':
      throw new TransientCommandError('DOWN', 'not now')
    case 'break':
      throw new PermanentCommandError('BROKEN', 'it is broken')
    case 'refuse':
      throw new BusinessRuleError('NO', 'the business says no')
    default:
      return { done: totalAttempts }
  }
}

const action = (name: string, run: Action['run']): Action => ({ check: () => true, run, toString: () => name })

interface Sending {
  readonly id: string
  readonly script: readonly Step[]
  readonly maxAttempts: number
  readonly onExhausted: 'park' | 'fail'
  readonly repliesWanted: boolean
}

const commandOf = ({ id, script, maxAttempts, onExhausted, repliesWanted }: Sending, domain: string) => ({
  commandType: 'Act',
  commandId: id,
  data: { script },
  maxAttempts,
  onExhausted,
  backoffSeconds: [0],
  ...(repliesWanted ? { replyTo: `${domain}__replies` } : {}),
})

const send = (sending: Sending, how: 'alone' | 'commit' | 'rollback'): Action =>
  action(`send ${show(sending)} ${how}`, async ({ commands }, { bus, domain, pool }) => {
    const { commandType, data, ...options } = commandOf(sending, domain)
    if (pool === null && how === 'rollback') return
    const client = how === 'alone' || pool === null ? null : await pool.connect()
    await client?.query('begin')
    const accepting = bus.send(domain, commandType, data, { ...options, ...(client === null ? {} : { client }) })
    if (commands.has(sending.id)) await expect(accepting).rejects.toThrow(DuplicateCommandError)
    else await accepting
    await client?.query(how)
    client?.release()
    // with the log in EventStoreDB, the command appears only after the commit
    if (how === 'commit')
      await until(
        () => bus.getCommand(domain, sending.id),
        found => found !== null,
      )
    if (how !== 'rollback' && !commands.has(sending.id)) commands.set(sending.id, sent(sending))
    await expectAsModelled({ commands }, bus, domain, sending.id)
  })

const sendBatch = (sendings: readonly Sending[]): Action =>
  action(`send together ${sendings.map(show).join(', ')}`, async ({ commands }, { bus, domain }) => {
    const results = await bus.sendBatch(
      domain,
      sendings.map(sending => commandOf(sending, domain)),
    )
    const expected = sendings.map(sending => {
      if (commands.has(sending.id)) return [sending.id, 'duplicate']
      commands.set(sending.id, sent(sending))
      return [sending.id, 'accepted']
    })
    expect(results.map(({ commandId, outcome }) => [commandId, outcome])).toEqual(expected)
  })

const work: Action = action('work', async ({ commands }, { bus, domain, workOff: workDown }) => {
  await workDown(act)
  for (const [id, command] of commands) {
    workOff(command)
    await expectAsModelled({ commands }, bus, domain, id)
  }
})

/** A user's action on one command, allowed in one status only. */
const operate = (
  name: string,
  id: string,
  allowedIn: Modelled['status'],
  call: (bus: CommandBus, domain: string) => Promise<unknown>,
  change: (command: Modelled) => void,
): Action =>
  action(`${name} ${ids.indexOf(id)}`, async ({ commands }, { bus, domain }) => {
    const command = commands.get(id)
    const calling = call(bus, domain)
    if (command === undefined) await expect(calling).rejects.toThrow(CommandNotFoundError)
    else if (command.status !== allowedIn) await expect(calling).rejects.toThrow(InvalidOperationError)
    else {
      await calling
      change(command)
    }
    await expectAsModelled({ commands }, bus, domain, id)
  })

export const parked = 'IN_TROUBLESHOOTING_QUEUE'
const retrying = (id: string, resetAttempts: boolean, script: readonly Step[] | undefined): Action =>
  operate(
    `retry (reset ${resetAttempts}, ${script ?? 'as it is'})`,
    id,
    parked,
    (bus, domain) =>
      bus.troubleshooting.retry(domain, id, {
        operator,
        resetAttempts,
        ...(script === undefined ? {} : { data: { script } }),
      }),
    command => retry(command, resetAttempts, script),
  )
const canceling = (id: string): Action =>
  operate(
    'operator cancels',
    id,
    parked,
    (bus, domain) => bus.troubleshooting.cancel(domain, id, { operator, reason: 'no more' }),
    command => end(command, 'CANCELED'),
  )
const completing = (id: string): Action =>
  operate(
    'operator completes',
    id,
    parked,
    (bus, domain) => bus.troubleshooting.complete(domain, id, { operator, resultData: { by: 'hand' } }),
    command => end(command, 'COMPLETED'),
  )
const senderCancels = (id: string): Action =>
  operate(
    'sender cancels',
    id,
    'PENDING',
    (bus, domain) => bus.cancel(domain, id),
    command => end(command, 'CANCELED'),
  )

/** Several operators act on one command at once: one of them wins, and the model learns which. */
const race = (id: string): Action =>
  action(`race ${ids.indexOf(id)}`, async ({ commands }, { bus, domain }) => {
    const { troubleshooting: t } = bus
    const results = await Promise.allSettled([
      t.retry(domain, id, { operator }),
      t.cancel(domain, id, { operator, reason: 'no more' }),
      t.complete(domain, id, { operator }),
      t.retry(domain, id, { operator, resetAttempts: false }),
    ])
    const won = results.map(({ status }) => status === 'fulfilled')
    const command = commands.get(id)
    expect(won.filter(Boolean)).toHaveLength(command?.status === parked ? 1 : 0)
    if (command?.status !== parked) return
    if (won[0] || won[3]) retry(command, won[0] === true)
    else end(command, won[1] ? 'CANCELED' : 'COMPLETED')
    await expectAsModelled({ commands }, bus, domain, id)
  })

const show = ({ id, script, maxAttempts, onExhausted }: Sending): string =>
  `${ids.indexOf(id)} [${script.join(' ')}] x${maxAttempts} ${onExhausted}`

const expectAsModelled = async ({ commands }: Model, bus: CommandBus, domain: string, id: string): Promise<void> => {
  const found = await bus.getCommand(domain, id)
  const command = commands.get(id)
  if (command === undefined) return void expect(found).toBeNull()
  const { status, attempts, total, maxAttempts, script, reason } = command
  expect(found).toMatchObject({
    status,
    attempts,
    totalAttempts: total,
    maxAttempts,
    parkedReason: reason,
    data: { script },
  })
}

const id = fc.constantFrom(...ids)
const script = fc.array(fc.constantFrom<Step>('succeed', 'stumble', 'stumble', 'break', 'refuse'), {
  minLength: 1,
  maxLength: 4,
})
const sending: fc.Arbitrary<Sending> = fc.record({
  id,
  script,
  maxAttempts: fc.integer({ min: 1, max: 3 }),
  onExhausted: fc.constantFrom('park', 'park', 'park', 'fail'),
  repliesWanted: fc.boolean(),
})
/** Everything that senders, a worker and operators can do, in any order. */
export const actions: fc.Arbitrary<Action>[] = [
  fc.tuple(sending, fc.constantFrom('alone', 'alone', 'commit', 'rollback')).map(([s, how]) => send(s, how)),
  fc.array(sending, { minLength: 1, maxLength: 8 }).map(sendBatch),
  fc.constant(work),
  fc.constant(work),
  fc.tuple(id, fc.boolean(), fc.option(script, { nil: undefined })).map(args => retrying(...args)),
  id.map(canceling),
  id.map(completing),
  id.map(senderCancels),
  id.map(race),
]
