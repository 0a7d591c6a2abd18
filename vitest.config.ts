import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { compiledModules } from './test/support/suite/compiled-modules.ts'
import { SlowFirst } from './test/support/suite/slow-first.ts'

const shared = {
  pool: 'forks',
  // more than there are processors: tests wait for servers, processes and signals half of the time
  maxWorkers: 4,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  teardownTimeout: 60_000,
} as const

/** What the bus does, shown with its log in EventStoreDB too: the same files run again. */
const onBothStores = [
  'flow/expiry',
  'flow/later',
  'operating/care',
  'operating/operations',
  'operating/operator',
  'operating/snooze',
  'reading/investigation',
  'reading/listing',
  'reading/model',
  'reading/owed-replies',
  'reading/payload-search',
  'reading/stats',
  'sending/caller',
  'sending/requests',
  'sending/sending',
  'sending/undelivered-replies',
  'crashing/kill',
  'working/adopting',
  'flow/pauses',
  'flow/schedules',
  'flow/lanes-seen',
  'lanes/lanes',
  'working/outcomes',
  'working/tampered',
  'working/worker',
  'watching/counting',
]
  .map(name => `test/bus/${name}.test.ts`)
  .concat('test/runs/continue.test.ts', 'test/environment/pgbouncer.test.ts')

/** Tests of functions alone: they change nothing that another file sees, so the files of a process share their modules. */
const pure = ['test/{application,domain,projections}/**/*.test.ts']

const freshModules = fileURLToPath(new URL('test/support/suite/fresh-modules.ts', import.meta.url))

export default defineConfig({
  test: {
    ...shared,
    globalSetup: ['test/support/global-setup.ts'],
    sequence: { sequencer: SlowFirst },
    projects: [
      { plugins: [compiledModules], test: { ...shared, name: 'pure', isolate: false, include: pure } },
      {
        plugins: [compiledModules],
        test: {
          ...shared,
          name: 'postgresql',
          isolate: false,
          setupFiles: [freshModules],
          include: ['test/**/*.test.ts'],
          exclude: pure,
          provide: { logStore: 'postgresql' },
        },
      },
      {
        oxc: { jsx: { importSource: fileURLToPath(new URL('web/src/jsx', import.meta.url)) } },
        test: {
          ...shared,
          name: 'console',
          environment: 'jsdom',
          isolate: false,
          setupFiles: [freshModules],
          include: ['test/console/{components,flow,operators}/*.test.tsx'],
        },
      },
      // takes pictures for the docs, and only when it is asked to: `npm run docs:screenshots`
      ...(process.env.SCREENSHOTS === undefined
        ? []
        : [
            {
              test: {
                ...shared,
                name: 'screenshots',
                include: ['test/console/screenshots.shots.ts'],
                provide: { logStore: 'postgresql' as const },
              },
            },
          ]),
      {
        plugins: [compiledModules],
        test: {
          ...shared,
          name: 'eventstoredb',
          isolate: false,
          setupFiles: [freshModules],
          include: onBothStores,
          provide: { logStore: 'eventstoredb' },
        },
      },
    ],
  },
})
