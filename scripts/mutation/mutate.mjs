// `npm run mutate`: changes the sources in one place at a time, and counts the changes that no test notices. Stryker has a
// package.json of its own here, so that only those who want it install it.
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'
import { installApart } from '../install-apart.mjs'

const home = fileURLToPath(new URL('./', import.meta.url))
const root = fileURLToPath(new URL('../../', import.meta.url))
const stryker = join(home, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js')

const bus = names => names.split(' ').map(name => `test/bus/*/${name}.test.ts`)

/**
 * Rooms, and the tests that look at them. Not those that work with processes of their own only: what runs there is the
 * code as it was compiled before.
 */
const parts = [
  { name: 'domain', tests: ['test/domain/**/*.test.ts'] },
  {
    name: 'projections',
    tests: ['test/projections/*.test.ts', ...bus('outcomes operator'), 'test/runs/rules.test.ts'],
  },
  {
    name: 'application',
    tests: [
      'test/application/*.test.ts',
      'test/telemetry/mask-secrets.test.ts',
      'test/runs/rules.test.ts',
      ...bus('bulk* caller dry-run held investigation listing misuse not-json operations operator outcomes'),
      ...bus('rehearse requests sending stats strangers tampered undelivered-replies worker worker-faults'),
    ],
  },
  {
    name: 'infrastructure/worker',
    tests: [
      'test/infrastructure/worker/*.test.ts',
      ...bus(
        'connections endless-handlers failures foreign-errors handlers-client outages outcomes read-ahead statements',
      ),
      ...bus('strangers tampered worker worker-crash worker-faults worker-health'),
    ],
  },
]

const args = process.argv.slice(2)
const at = args.findIndex(arg => arg === '--mutate' || arg === '-m')
const patterns = at < 0 ? null : args[at + 1]?.split(',')
const chosen = parts.filter(
  ({ name }) => patterns === null || patterns?.some(pattern => pattern.startsWith(`src/${name}/`)),
)
if (chosen.length === 0) {
  console.error(`--mutate takes files of ${parts.map(({ name }) => `src/${name}/`).join(', ')}`)
  process.exit(2)
}

if (!installApart(home)) process.exit(1)

/** Of this run alone: others may be under way. */
const sandbox = join('.stryker-tmp', String(process.pid))

const mutate = (part, provided) =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, MUTATION: JSON.stringify({ ...part, provided, sandbox }) }
    const options = ['run', 'scripts/mutation/stryker.config.mjs', ...args]
    const child = spawn(process.execPath, [stryker, ...options], { cwd: root, env, stdio: 'inherit' })
    child.on('error', reject)
    child.on('exit', code => resolve(code ?? 1))
  })

let interrupted = false
// Stryker is told by the terminal, too; what was made here is removed when it has ended
process.on('SIGINT', () => {
  interrupted = true
})
const { module } = await runnerImport(join(root, 'test', 'support', 'global-setup.ts'))
const provided = {}
const tearDown = await module.default({
  provide: (name, value) => {
    provided[name] = value
  },
  onTestsRerun: () => {},
})
try {
  for (const { name, tests } of chosen) {
    if (interrupted) break
    const part = {
      name: name.replaceAll('/', '-'),
      mutate: patterns ?? [`src/${name}/**/*.ts`],
      tests,
    }
    process.exitCode ||= await mutate(part, provided)
  }
} finally {
  await tearDown()
  rmSync(join(root, sandbox), { recursive: true, force: true })
}
