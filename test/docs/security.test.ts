import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { rolesFor } from '../../src/application/access/roles.ts'
import { type Permission, roles } from '../../src/application/ports/authorization.ts'
import { api } from '../../src/contract/index.ts'

const path = fileURLToPath(new URL('../../docs/security.md', import.meta.url))

const whose: Readonly<Record<Permission, string>> = {
  read: 'scope',
  send: 'scope',
  operate: 'scope',
  audit: 'scope',
  operations: 'own',
  runs: 'tenant',
  grant: 'tenant',
}

/** Who may what, from the declaration of the routes; test/http/identity/roles.test.ts carries out each cell. */
const table = [
  `| route | whose | ${roles.join(' | ')} |`,
  `|---|---|${roles.map(() => '---').join('|')}|`,
  ...Object.values(api).map(
    ({ method, path: at, permission }) =>
      `| ${method} ${at} | ${whose[permission]} | ${roles.map(role => (rolesFor[permission].includes(role) ? 'yes' : '')).join(' | ')} |`,
  ),
].join('\n')

test('G3: docs/security.md says who may what, as the routes declare it; `npm run docs:security` brings it up to date', async () => {
  const page = await readFile(path, 'utf8')
  const generated = page.replace(
    /(<!-- generated: routes -->\n)[\s\S]*?(\n<!-- end -->)/,
    (_, begin, end) => `${begin}\n${table}\n${end}`,
  )
  expect(generated).toContain(table)
  await expect(generated).toMatchFileSnapshot(path)
})
