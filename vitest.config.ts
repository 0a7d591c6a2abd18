import { defineConfig } from 'vitest/config'

const shared = {
  pool: 'forks',
  maxWorkers: 2,
  testTimeout: 60_000,
  hookTimeout: 120_000,
  teardownTimeout: 60_000,
} as const

/** What the bus does, shown with its log in EventStoreDB too: the same files run again. */
const onBothStores = [
  'caller',
  'investigation',
  'kill',
  'listing',
  'model',
  'operations',
  'operator',
  'outcomes',
  'sending',
  'stats',
  'worker',
]
  .map(name => `test/bus/${name}.test.ts`)
  .concat('test/runs/continue.test.ts')

export default defineConfig({
  test: {
    ...shared,
    globalSetup: ['test/support/global-setup.ts'],
    projects: [
      {
        test: {
          ...shared,
          name: 'postgresql',
          include: ['test/**/*.test.ts', 'src/**/*.test.ts'],
          provide: { logStore: 'postgresql' },
        },
      },
      {
        test: {
          ...shared,
          name: 'console',
          environment: 'jsdom',
          include: ['test/console/components/*.test.tsx'],
        },
      },
      {
        test: {
          ...shared,
          name: 'eventstoredb',
          include: onBothStores,
          provide: { logStore: 'eventstoredb' },
        },
      },
    ],
  },
})
