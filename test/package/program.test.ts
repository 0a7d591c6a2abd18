import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emptyProject, type Packed, pack, run, succeed } from './consumer.ts'

/** It downloads some hundred packages: `npm run test:package` sets the flag. */
const asked = process.env.COMMANDBUS_TEST_PACKAGE === '1'

describe.skipIf(!asked)('K3: a new project (skipped without COMMANDBUS_TEST_PACKAGE=1)', () => {
  let packed: Packed
  let project: string

  beforeAll(async () => {
    packed = await pack()
    project = await emptyProject(packed)
  })
  afterAll(async () => packed?.remove())

  const install = (packages: readonly string[]) =>
    succeed('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', ...packages], project)
  const npx = (...args: readonly string[]) => run('npx', ['--no-install', 'commandbus', ...args], { cwd: project })

  /** Number of packages and size in MB. */
  const installed = async (): Promise<{ packages: number; mb: number }> => {
    const modules = join(project, 'node_modules')
    const names = await readdir(modules, { recursive: true })
    const sizes = await Promise.all(names.map(async name => (await stat(join(modules, name))).size))
    const manifests = names.filter(name =>
      /^((?:@[^/]+\/)?[^/@]+|.*\/node_modules\/(?:@[^/]+\/)?[^/@]+)\/package\.json$/.test(name),
    )
    return { packages: manifests.length, mb: sizes.reduce((sum, size) => sum + size, 0) / 1_048_576 }
  }

  test('K3: the package with all that it brings is at most 24 packages and 17 MB', async () => {
    await install([packed.tarball])
    const { packages, mb } = await installed()
    expect(packages).toBeGreaterThan(15)
    expect(packages).toBeLessThanOrEqual(24)
    expect(mb).toBeLessThan(17)
  }, 300_000)

  test('K3: `npx commandbus start --demo` works after one run of the command that it names', async () => {
    const { code, output } = await npx('start', '--demo')
    const [, packages = ''] =
      /^commandbus: .* needs packages that are not installed: run `npm install (.+)`\n$/.exec(output) ?? []
    expect({ code, packages }).toEqual({ code: 1, packages: expect.stringContaining('fastify@5') })
    await install(packages.split(' '))
    const { PATH, HOME } = process.env
    const service = spawn('npx', ['--no-install', 'commandbus', 'start', '--demo', '--port', '0', '--json'], {
      cwd: project,
      env: { PATH, HOME, TMPDIR: tmpdir() },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const lines: string[] = []
      for await (const line of createInterface(service.stdout)) {
        lines.push(line)
        if (line === '}') break
      }
      const { url, pid } = JSON.parse(lines.join('\n'))
      expect((await fetch(`${url}/health/live`)).status).toBe(200)
      const sent = await npx('send', 'demo', 'Greet', '--data', '{"name": "Ada"}', '--json')
      expect(sent).toMatchObject({ code: 0 })
      process.kill(pid, 'SIGTERM')
      await once(service, 'exit')
    } finally {
      service.kill('SIGKILL')
    }
  }, 400_000)
})
