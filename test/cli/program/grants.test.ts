import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { roleKinds } from '../../../src/infrastructure/postgres/rights/grants.ts'
import { until } from '../../support/bus.ts'
import { createRolesDatabase, type RolesDatabase } from '../../support/roles.ts'
import { useProgram } from '../../support/servers/cli.ts'
import { readiness, startService } from '../../support/servers/service.ts'

const program = useProgram()
const open: RolesDatabase[] = []
afterEach(async () => {
  for (const roles of open.splice(0)) await roles.drop()
})

const rolesDatabase = async (): Promise<RolesDatabase> => {
  const roles = await createRolesDatabase(['migrator', ...roleKinds])
  open.push(roles)
  return roles
}
const as = (roles: RolesDatabase, role: string) => ({ env: { DATABASE_URL: roles.urlOf(role) } })

const shareTo = async ({ database, nameOf }: RolesDatabase): Promise<void> => {
  const to = pg.escapeIdentifier(nameOf('migrator'))
  await database.pool.query(`grant usage, create on schema pgmq to ${to} with grant option;
    grant select, insert, delete on pgmq.meta to ${to} with grant option`)
}

const flagsOf = ({ nameOf }: RolesDatabase): readonly string[] => roleKinds.flatMap(kind => [`--${kind}`, nameOf(kind)])

describe('the rights of roles', () => {
  test('R15: migrate and doctor name the missing rights when an administrator installed pgmq', async () => {
    const roles = await rolesDatabase()
    const to = pg.escapeIdentifier(roles.nameOf('migrator'))
    const lack = `${to} lacks usage on schema pgmq, create on schema pgmq, select on pgmq.meta, insert on pgmq.meta`
    const refused = await program.run(['migrate'], as(roles, 'migrator'))
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(lack) })
    await shareTo(roles)
    expect(await program.run(['migrate'], as(roles, 'migrator'))).toMatchObject({ code: 0 })
    await roles.database.pool.query(`revoke insert on pgmq.meta from ${to} cascade`)
    const doctor = (await program.run(['doctor', '--json'], as(roles, 'migrator'))).json()
    expect(doctor).toMatchObject({
      health: {
        checks: {
          queue: { status: 'degraded', reasons: [expect.stringContaining(`${to} lacks insert on pgmq.meta`)] },
        },
      },
    })
  })

  test('R15: grants are printed as SQL that can be run, or applied; then each role can do its work', async () => {
    const roles = await rolesDatabase()
    await shareTo(roles)
    await program.run(['migrate'], as(roles, 'migrator'))
    const printed = await program.run(['grants', ...flagsOf(roles)], as(roles, 'migrator'))
    expect(printed).toMatchObject({ code: 0, stderr: '' })
    expect(printed.stdout).toContain(`grant usage on schema "public", pgmq to "${roles.nameOf('sender')}";`)
    const refused = await program.run(['send', 'shop', 'Buy', '--data', '{}'], as(roles, 'sender'))
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/permission denied for .*commandbus grants/),
    })
    const owner = new pg.Client(roles.urlOf('migrator'))
    await owner.connect()
    await owner.query(printed.stdout)
    await owner.end()
    const applied = await program.run(['grants', ...flagsOf(roles), '--apply'], as(roles, 'migrator'))
    expect(applied).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining(`${roles.nameOf('sender')} (sender)`),
    })
    const sent = await program.run(
      ['send', 'shop', 'Buy', '--data', '{}', '--reply-to', 'shop__replies', '--json'],
      as(roles, 'sender'),
    )
    expect(sent).toMatchObject({ code: 0, stderr: '' })
    expect(await program.run(['list'], as(roles, 'reader'))).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('PENDING'),
    })
    expect(await program.run(['list'], as(roles, 'worker'))).toMatchObject({ code: 1 })
    const { commandId } = sent.json()
    expect(await program.run(['cancel', commandId, '--domain', 'shop'], as(roles, 'sender'))).toMatchObject({ code: 0 })
    const replies = await program.run(['replies', 'read', 'shop__replies'], as(roles, 'sender'))
    expect(replies).toMatchObject({ code: 0, stdout: expect.stringContaining('CANCELED') })
    for (const role of ['operator', 'reader']) {
      expect([role, await program.run(['doctor'], as(roles, role))]).toMatchObject([role, { code: 0 }])
    }
  })

  test('R15: the service runs as the operator', async () => {
    const roles = await rolesDatabase()
    await shareTo(roles)
    await program.run(['migrate'], as(roles, 'migrator'))
    const name = roles.nameOf('operator')
    // the worker of the demo runs as the same role
    await program.run(['grants', '--operator', name, '--worker', name, '--apply'], as(roles, 'migrator'))
    const service = await startService(program, as(roles, 'operator').env)
    await program.run(['send', 'demo', 'Greet', '--data', '{"name": "Ada"}'], as(roles, 'operator'))
    const { pool } = roles.database
    await until(
      async () => (await pool.query(`select status from command_bus_command where command_type = 'Greet'`)).rows,
      rows => rows.length > 0 && rows.every(({ status }) => status === 'COMPLETED'),
    )
    // the background check of the proof seals what was written
    await until(
      async () => (await pool.query('select from command_bus_seal')).rowCount ?? 0,
      count => count > 0,
    )
    expect(
      await until(
        () => readiness(service.url),
        ({ status }) => status === 'healthy',
      ),
    ).toMatchObject({ code: 200 })
    const said = service.log().filter(entry => JSON.stringify(entry).includes('permission denied'))
    expect(said).toEqual([])
  })

  test.each([
    [['grants'], 'name a role: --sender <role>'],
    [['grants', '--sender', 'nobody"at all'], 'there is no role "nobody""at all": create it first'],
  ])('R15: %j is refused in one sentence', async (args, said) => {
    const roles = await rolesDatabase()
    await shareTo(roles)
    await program.run(['migrate'], as(roles, 'migrator'))
    const answer = await program.run(args, as(roles, 'migrator'))
    expect(answer.code).toBeGreaterThan(0)
    expect(answer.stderr).toContain(said)
  })
})
