import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HandlerContext } from '../../../src/index.ts'
import { createTestBus, type TestBus } from '../../support/bus.ts'
import { fingerprint } from '../../support/fingerprint.ts'
import { lineOf, useProgram } from '../../support/servers/cli.ts'
import { runInProcess } from '../../support/servers/in-process.ts'
import { writeModules } from './modules.ts'

// it has no types
const { JSDOM } = await import('jsdom' as string)
const program = useProgram()

let folder = ''
// code below `node_modules`, where the program of the tests is, does not count as the user's
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rehearse-past-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Has a worker with these handlers do what was sent. */
const work = async ({ bus, database }: TestBus, module: string): Promise<void> => {
  const worker = program.launch(['worker', '--handlers', module, '--json'], { env: { DATABASE_URL: database.url } })
  await lineOf(worker, 'stdout', line => line.includes('pid'))
  const isOpen = async (): Promise<boolean> => {
    const pages = await Promise.all(
      (['PENDING', 'IN_PROGRESS'] as const).map(status => bus.queryCommands({ domain: 'payments', status, limit: 1 })),
    )
    return pages.some(({ items }) => items.length > 0)
  }
  while (await isOpen()) await new Promise(resolve => setTimeout(resolve, 20))
  worker.kill('SIGTERM')
  await once(worker, 'exit')
}

const rehearse = ({ database }: Pick<TestBus, 'database'>, ...flags: string[]) =>
  program.run(['rehearse', '--since', '1h', '--timeout', '1000', ...flags], { env: { DATABASE_URL: database.url } })

test('K5: ten planted regressions are found with command and path, none with the same handlers, and nothing changes', async () => {
  const setup = await createTestBus()
  const { bus, pool } = setup
  await pool.query('create table ledger (command_id uuid, amount int)')
  const { now, next } = await writeModules(folder, join(program.directory, 'dist', 'index.js'))
  const send = async (commandType: string, data: object) => (await bus.send('payments', commandType, data)).commandId
  const card = { number: '4111111111111111', holder: 'Ann' }
  for (const type of ['Charge', 'Refund', 'Tell', 'Ship', 'Write', 'Wait', 'End'])
    await send(type, { amount: 5, items: [3] })
  const planted = {
    [await send('Charge', { amount: 1, odd: true })]: 'result.total',
    [await send('Charge', { amount: 2, odd: true, items: [10, 20], card })]: 'result.items.*.tax',
    [await send('Charge', { amount: 13 })]: 'INVALID_PAYLOAD amount: expected another amount',
    [await send('Refund', { amount: 101, odd: true })]: 'OVER_LIMIT',
    [await send('Tell', { amount: 3, odd: true })]: 'sent.*.data.amount',
    [await send('Ship', { amount: 4, odd: true })]: 'sent.*',
    [await send('Write', { amount: 6, odd: true })]: '42P01',
    [await send('Void', { amount: 7 })]: 'NO_HANDLER',
    [await send('Wait', { odd: true })]: 'REHEARSAL_TIMEOUT',
    [await send('End', { odd: true })]: 'REHEARSAL_CRASHED',
  }
  const declined = await send('Charge', { amount: 8, decline: true })
  await send('Charge', { amount: 9, decline: true, odd: true })
  await send('Outside', {})
  await work(setup, now)
  const before = await fingerprint(pool)
  const ignore = ['--ignore', 'result.at']

  const same = await rehearse(setup, '--handlers', now, '--json', ...ignore)
  expect(same.stderr).toBe('')
  const counts = { otherResult: 0, newlyFailing: 0, newlySucceeding: 0, changed: [], groups: [], rolledBack: true }
  expect(same.json()).toMatchObject({ rehearsed: 19, same: 19, notRehearsed: 1, ...counts })
  expect(same.code).toBe(0)
  expect(await fingerprint(pool)).toEqual(before)

  const junit = join(folder, 'rehearsed.xml')
  const found = await rehearse(setup, '--handlers', next, '--json', '--junit', junit, ...ignore)
  expect(found).toMatchObject({ code: 1, stderr: '' })
  const report = found.json()
  const groups = report.groups as readonly { readonly commandId: string; readonly what: string; verdict: string }[]
  const whatOf = (id: string) => groups.filter(({ commandId }) => commandId === id).map(({ what }) => what)
  for (const [id, what] of Object.entries(planted))
    expect([id, whatOf(id).join()]).toEqual([id, expect.stringContaining(what)])
  expect(report).toMatchObject({ rehearsed: 19, otherResult: 5, newlyFailing: 5, newlySucceeding: 1, same: 8 })
  expect(groups.filter(({ verdict }) => verdict === 'newly-succeeding')).toMatchObject([
    { commandId: declined, what: expect.stringMatching(/^CARD_DECLINED at .*now\.mjs:\d+/) },
  ])
  expect(await fingerprint(pool)).toEqual(before)
  // what only the new handlers declare is hidden as well
  const text = found.stdout + (await readFile(junit, 'utf8'))
  expect(text).toContain('•••')
  expect(text).not.toContain('4111111111111111')
  const { document } = new JSDOM(await readFile(junit, 'utf8'), { contentType: 'text/xml' }).window
  const failed = [...document.querySelectorAll('failure')]
    .map(({ parentElement }) => parentElement.getAttribute('name'))
    .sort()
  expect(document.querySelectorAll('testcase')).toHaveLength(19)
  expect(failed).toEqual(Object.keys(planted).sort())
})

test('K5: a module may be CommonJS, or make its handlers in a function; doubles, limits and types; what cannot be rehearsed is said', async () => {
  const setup = await createTestBus()
  const { bus, pool, work: handle, until } = setup
  const other = () => ({ at: Math.random() })
  await handle({
    domain: 'payments',
    handlers: { Charge: () => ({ amount: 5 }), Busy: () => null, Other: other, Send: () => null },
  })
  const ids = await Promise.all([...Array(12)].map(() => bus.send('payments', 'Busy', {})))
  await bus.send('payments', 'Charge', { amount: 5 })
  await bus.send('payments', 'Other', {})
  const { commandId: sender } = await bus.send('payments', 'Send', {})
  await until(
    () => bus.queryCommands({ domain: 'payments', status: 'COMPLETED' }),
    ({ items }) => items.length === ids.length + 3,
  )
  const module = join(folder, 'next.cjs')
  await writeFile(
    module,
    `exports.__esModule = true
     const open = require('node:net').createServer().listen(0)
     exports.default = async (bus, { rehearsal }) => {
       const bank = rehearsal ? { charge: async amount => ({ amount }) } : null
       return { payments: {
         Charge: { rehearsable: true, handle: ({ amount }) => bank.charge(amount) },
         Busy: { rehearsable: true, handle: () => null },
         Other: { rehearsable: true, handle: () => ({ at: Math.random() }) },
         Send: { rehearsable: true, transactional: true, handle: async (_, { client }) => {
           await bus.send('nowhere', 'First', {}, { client, replyTo: 'never__seen' })
           await bus.sendBatch('nowhere', [{ commandType: 'Second', data: {}, priority: 'high' }], { client })
           await bus.send('nowhere', 'Third', {})
         } },
       } }
     }`,
  )
  const before = await fingerprint(pool)
  const rehearsed = await rehearse(
    setup,
    '--handlers',
    module,
    '--limit',
    '9',
    '--against',
    module,
    '--ignore',
    'result.at',
  )
  expect(rehearsed).toMatchObject({ code: 0, stderr: '' })
  expect(rehearsed.stdout).toMatch(/^Rehearsed 9 commands of 15 [\s\S]*Busy +6 [\s\S]*Everything was rolled back/)

  const some = await rehearse(setup, '--handlers', module, '--type', 'Send', '--type', 'Other', '--json')
  expect(some.code).toBe(1)
  expect(some.json()).toMatchObject({
    rehearsed: 2,
    changed: [
      { verdict: 'other-result', differences: [{ path: '/result/at' }] },
      {
        commandId: sender,
        verdict: 'newly-failing',
        now: {
          message: expect.stringMatching(
            /bus.send without { client: context.client } is refused: a rehearsal could not undo it/,
          ),
        },
      },
    ],
  })
  expect(await fingerprint(pool)).toEqual(before)

  const refused = join(folder, 'refused.mjs')
  await writeFile(refused, 'export const handlers = { payments: { "*": () => null } }')
  const nothing = await rehearse(setup, '--handlers', refused)
  expect(nothing).toMatchObject({ code: 1, stdout: expect.stringContaining('set `rehearsable: true` on it') })
})

test('K5: bad input is refused in one sentence, before anything is done', async () => {
  // no process is started for what is refused before
  const run = (...args: string[]) =>
    runInProcess(['rehearse', ...args], {
      env: { DATABASE_URL: 'postgres://127.0.0.1:1/none' },
      cwd: folder,
      main: program.main,
    })
  const lines: readonly (readonly [sentence: RegExp, ...args: string[]])[] = [
    [/name either the id of a parked command, or a period/],
    [/name either the id of a parked command, or a period/, '5f0c2a7e-0000-4000-8000-000000000001', '--since', '1h'],
    [/go with --since/, '5f0c2a7e-0000-4000-8000-000000000001', '--limit', '5'],
    [/choose whose handlers are rehearsed/, '--since', '1h'],
    [/--since: must be how far back/, '--since', 'yesterday', '--demo'],
    [/--limit: must be from 1 to 100000/, '--since', '1h', '--limit', '0'],
    [/--fail-on: must be changes or failures/, '--since', '1h', '--fail-on', 'all'],
    [
      /--junit names the file .* which cannot be written/,
      '--since',
      '1h',
      '--demo',
      '--junit',
      join(folder, 'none', 'x.xml'),
    ],
  ]
  for (const [sentence, ...args] of lines) {
    expect(await run(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(sentence) })
  }
})

/** `K5_COMMANDS=1000` shows the row's own size. */
const COUNT = Number(process.env.K5_COMMANDS ?? 20)

test('K5: a thousand commands are rehearsed within a minute', async () => {
  const setup = await createTestBus()
  const { bus, pool, work: handle, until } = setup
  await pool.query('create table ledger (amount int)')
  const insert = 'insert into ledger values ($1)'
  await handle({
    domain: 'payments',
    handlers: {
      Add: () => null,
      Write: {
        transactional: true,
        handle: async ({ amount }: { amount: number }, { client }: HandlerContext) => {
          await client.query(insert, [amount])
          return { amount }
        },
      } as never,
    },
  })
  const commands = [...Array(COUNT)].map((_, i) => ({
    commandType: i % 10 === 0 ? 'Add' : 'Write',
    data: { amount: i },
  }))
  for (let i = 0; i < COUNT; i += 10_000) await bus.sendBatch('payments', commands.slice(i, i + 10_000))
  const ended = () => pool.query(`select count(*)::int as count from command_bus_command where status = 'COMPLETED'`)
  await until(ended, ({ rows }) => rows[0].count === COUNT)
  const module = join(folder, 'many.mjs')
  await writeFile(
    module,
    `export const handlers = { payments: { Add: { rehearsable: true, handle: () => null }, Write: { rehearsable: true, transactional: true,
       handle: async ({ amount }, { client }) => { await client.query('${insert}', [amount]); return { amount } } } } }`,
  )
  const before = await fingerprint(pool)
  const began = performance.now()
  const rehearsed = await rehearse(setup, '--handlers', module, '--json')
  const seconds = (performance.now() - began) / 1000
  console.info(`${COUNT} commands rehearsed in ${seconds.toFixed(1)} s`)
  expect(rehearsed).toMatchObject({ code: 0, stderr: '' })
  expect(rehearsed.json()).toMatchObject({ same: Math.min(COUNT, 1_000), otherResult: 0, newlyFailing: 0 })
  expect(seconds).toBeLessThan(60)
  expect(await fingerprint(pool)).toEqual(before)
})
