import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { writeHistory } from '../../support/lives/history.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
const newKey = () => randomBytes(32).toString('base64url')

describe('commandbus verify', () => {
  test('seals, finds nothing, and prints a seal to keep; later it names what does not match and exits with 1', async () => {
    const { pool, database } = await createTestBus()
    const home = await program.newHome()
    const env = { DATABASE_URL: database.url, COMMANDBUS_PROOF_KEY: newKey(), COMMANDBUS_HOME: home }
    const streams = await writeHistory({ pool, commands: 50 })
    const clean = await program.run(['verify'], { env })
    expect(clean).toMatchObject({ code: 0, stderr: '' })
    expect(clean.stdout).toMatch(
      /No problems found[\s\S]*50 rows[\s\S]*1 seals?[\s\S]*Signed +1 by SHA256:[\s\S]*Not sealed yet +0 events/,
    )
    const [, seal] = /Last seal +(\d+:[0-9a-f]{64})/.exec(clean.stdout) ?? []
    expect(await program.run(['verify', '--expect', seal ?? ''], { env })).toMatchObject({ code: 0 })

    await pool.query(
      `update command_bus_command set tenant_id = 'mine' where 'command-' || domain || '-' || command_id = $1`,
      [streams[3]],
    )
    const drifted = await program.run(['verify', '--json'], { env })
    expect(drifted).toMatchObject({ code: 1, stderr: '' })
    expect(drifted.json()).toMatchObject({
      repaired: false,
      findings: [{ kind: 'row', stream: streams[3], column: 'tenant_id', found: 'mine' }],
    })
    const repaired = await program.run(['verify', '--repair'], { env })
    expect(repaired).toMatchObject({ code: 0, stdout: expect.stringMatching(/rebuilt[\s\S]*No problems found/) })
    expect(await program.run(['verify', '--json'], { env })).toMatchObject({ code: 0 })
  })

  test('trusts only its own key and the keys that are named', async () => {
    const { pool, database } = await createTestBus()
    await writeHistory({ pool, commands: 5 })
    const home = await program.newHome()
    const with_ = (key: string) => ({
      env: { DATABASE_URL: database.url, COMMANDBUS_PROOF_KEY: key, COMMANDBUS_HOME: home },
    })
    const first = await program.run(['verify', '--json'], with_(newKey()))
    expect(first.code).toBe(0)
    const { signedBy } = first.json() as unknown as { signedBy: { key: string | null }[] }
    const fingerprint = signedBy.find(({ key }) => key !== null)?.key ?? ''
    const key = newKey()
    const other = await program.run(['verify'], with_(key))
    expect(other).toMatchObject({ code: 1, stdout: expect.stringContaining(`--trust`) })
    expect(await program.run(['verify', '--trust', fingerprint], with_(key))).toMatchObject({ code: 0 })
  })

  test('rows are not repaired from a damaged log', async () => {
    const { pool, database } = await createTestBus()
    const [stream] = await writeHistory({ pool, commands: 20 })
    await pool.query(
      `set session_replication_role = replica; update command_bus_event set meta = jsonb_set(meta, '{actor}', '"x"') where stream = '${stream}' and revision = 0; reset session_replication_role; update command_bus_command set retry_count = 9`,
    )
    const env = { DATABASE_URL: database.url, COMMANDBUS_HOME: await program.newHome() }
    const answer = await program.run(['verify', '--repair'], { env })
    expect(answer).toMatchObject({ code: 1, stdout: '' })
    expect(answer.stderr).toContain(`the rows are not rebuilt, because the log itself is damaged (${stream}: event 0`)
    expect((await pool.query('select distinct retry_count from command_bus_command')).rows).toEqual([
      { retry_count: 9 },
    ])
  })

  test.each([
    [['--expect', '12'], /--expect must be a seal/],
    [['--limit', 'many'], /--limit must be a whole number/],
  ])('%j is refused', async (flags, sentence) => {
    const answer = await program.run(['verify', ...flags])
    expect(answer).toMatchObject({ code: 2, stderr: expect.stringMatching(sentence) })
  })
})
