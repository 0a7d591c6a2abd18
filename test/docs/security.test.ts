import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { callerPermissions } from '../../src/application/access/caller-permissions.ts'
import { rolesFor } from '../../src/application/access/roles.ts'
import { type Permission, roles } from '../../src/application/ports/authorization.ts'
import { api } from '../../src/contract/index.ts'

const path = fileURLToPath(new URL('../../docs/security.md', import.meta.url))

const whose: Readonly<Record<Permission, string>> = {
  read: 'scope',
  send: 'scope',
  reschedule: 'scope',
  operate: 'scope',
  audit: 'scope',
  operations: 'own',
  runs: 'tenant',
  grant: 'tenant',
  reveal: 'scope',
}

const tableOf = (what: string, rows: readonly (readonly [name: string, permission: Permission])[]): string =>
  [
    `| ${what} | whose | ${roles.join(' | ')} |`,
    `|---|---|${roles.map(() => '---').join('|')}|`,
    ...rows.map(
      ([name, permission]) =>
        `| ${name} | ${whose[permission]} | ${roles.map(role => (rolesFor[permission].includes(role) ? 'yes' : '')).join(' | ')} |`,
    ),
  ].join('\n')

interface Declared {
  readonly [name: string]: Permission | Declared
}

const callsOf = (declared: Declared, group = ''): readonly (readonly [name: string, permission: Permission])[] =>
  Object.entries(declared).flatMap(([name, needed]) =>
    typeof needed === 'string' ? [[`${group}${name}`, needed] as const] : callsOf(needed, `${group}${name}.`),
  )

/** The declared permissions; test/http/identity/roles.test.ts and test/bus/sending/caller.test.ts carry out each cell. */
const tables = {
  routes: tableOf(
    'route',
    Object.values(api).map(({ method, path: at, permission }) => [`${method} ${at}`, permission]),
  ),
  library: tableOf('call of `as(identity)`', callsOf(callerPermissions)),
}

test('G3: docs/security.md shows the permissions that routes and library declare; `npm run docs:security` updates it', async () => {
  let page = await readFile(path, 'utf8')
  for (const [name, table] of Object.entries(tables)) {
    page = page.replace(
      new RegExp(`(<!-- generated: ${name} -->\\n)[\\s\\S]*?(\\n<!-- end -->)`),
      (_, begin, end) => `${begin}\n${table}\n${end}`,
    )
    expect(page).toContain(table)
  }
  await expect(page).toMatchFileSnapshot(path)
})
