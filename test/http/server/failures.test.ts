import { expect, test } from 'vitest'
import { createTestApi } from '../../support/http.ts'
import { auditNames } from '../../support/park.ts'
import { expectProblem } from '../../support/problem.ts'

test('the reason of an unexpected failure goes to the log, not to the caller', async () => {
  const api = await createTestApi()
  const token = await api.token(['ADMIN'])
  await api.bus.ready()
  await api.pool.query('alter table command_bus_command rename column created_at to made_at')
  const answer = await api.request('GET', '/commands', { token })
  expectProblem(answer, 500, 'INTERNAL', 'its log says why')
  expect(JSON.stringify(answer.body)).not.toMatch(/created_at|select|at .*:\d+/)
  expect(api.logged.join('')).toContain('created_at')
  expect((await api.request('GET', '//health/live')).status).toBe(200)
})

test('a command that others change again and again is answered with a conflict, and nothing is done', async () => {
  const api = await createTestApi()
  const token = await api.token(['ADMIN'])
  const { commandId } = await api.bus.send('payments', 'Charge', {})
  // every append of a cancel has a conflict
  await api.pool.query('create function taken() returns trigger language plpgsql as $$ begin return null; end $$')
  await api.pool.query(
    `create trigger taken before insert on command_bus_event for each row
     when (new.type = 'CommandCanceled') execute function taken()`,
  )
  const answer = await api.request('DELETE', `/domains/payments/commands/${commandId}`, { token })
  expectProblem(answer, 409, 'CONFLICT', 'try again')
  expect(await auditNames(api.bus, 'payments', commandId)).toEqual(['SENT'])
})

test('a database without the schema is answered as unavailable, with what to do', async () => {
  const api = await createTestApi()
  const token = await api.token(['ADMIN'])
  await api.pool.query('drop table command_bus_command cascade')
  expectProblem(await api.request('GET', '/commands', { token }), 503, 'UNAVAILABLE', 'commandbus migrate')
})

test('the service works again when the database comes back', async () => {
  const api = await createTestApi()
  const token = await api.token(['ADMIN'])
  expect((await api.request('GET', '/commands', { token })).status).toBe(200)
  await api.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  )
  await api.until(
    async () => {
      const { status } = await api.request('GET', '/commands', { token })
      expect([200, 503]).toContain(status)
      return status
    },
    status => status === 200,
  )
})
