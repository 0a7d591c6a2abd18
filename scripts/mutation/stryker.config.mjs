const { name, mutate, sandbox } = JSON.parse(process.env.MUTATION)

export default {
  testRunner: 'vitest',
  vitest: { configFile: 'scripts/mutation/vitest.config.ts', related: false },
  mutate,
  coverageAnalysis: 'perTest',
  // runs once when its module is loaded, so that each such change would need all tests
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: name === 'domain' ? 10_000 : 60_000,
  dryRunTimeoutMinutes: 30,
  // Stryker would rewrite it with TypeScript's own functions, which version 7 does not have; nothing here reads it
  tsconfigFile: 'none',
  ignorePatterns: ['/.ci', '/bench', '/dist*', '/docs', '/examples', '/reports', '.stryker-tmp', '/web', '.commandbus'],
  reporters: ['progress-append-only', 'clear-text', 'html', 'json'],
  clearTextReporter: { allowColor: false, reportMutants: false, reportTests: false },
  htmlReporter: { fileName: `reports/mutation/${name}.html` },
  jsonReporter: { fileName: `reports/mutation/${name}.json` },
  tempDirName: sandbox,
  cleanTempDir: 'always',
  allowConsoleColors: false,
}
