import { defineConfig } from 'vitest/config'

const { name, tests, provided } = JSON.parse(process.env.MUTATION ?? '{}')

/** For `npm run mutate` only: the server and its template database are made once, by mutate.mjs. */
export default defineConfig({
  test: {
    include: tests,
    provide: { logStore: 'postgresql', ...provided },
    // a third faster where nothing is left open; what is made once when a module is loaded is not changed
    isolate: name !== 'domain',
    // a test that waits in vain has caught the change
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
