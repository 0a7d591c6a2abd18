const { readdirSync } = require('node:fs')
const { join } = require('node:path')
// Without its parser dependency-cruiser would look at nothing and report success: better to fail here.
const swc = require('@swc/core')

// dependency-cruiser asks swc for TypeScript without JSX, whatever the file
const parseFile = swc.parseFileSync.bind(swc)
swc.parseFileSync = (file, options) => parseFile(file, { ...options, tsx: file.endsWith('.tsx') })

/** `import('./x.ts').Name` inside a type is an import that dependency-cruiser does not see. */
const hasImportInType = file =>
  JSON.stringify(swc.parseFileSync(file, { syntax: 'typescript' })).includes('"type":"TsImportType"')

const hidden = ['src', join('web', 'src')]
  .flatMap(folder => readdirSync(join(__dirname, folder), { recursive: true }).map(name => join(folder, String(name))))
  .filter(file => /\.tsx?$/.test(file))
  .filter(file => hasImportInType(join(__dirname, file)))
if (hidden.length > 0) throw new Error(`Write \`import type\` instead of import() inside a type: ${hidden.join(', ')}`)

/**
 * The rooms of `src`, the lowest first: what stands in a room imports from it and from the rooms before it. A name
 * that ends in a slash is a whole folder; any other room is the files right in it.
 */
const ROOMS = [
  'domain/',
  'application/ports/',
  'projections/',
  'application/permits',
  'application/shared',
  'application/sensitive',
  'application/payloads',
  'application/sending',
  'application/commands',
  'application/replies',
  'application/strangers',
  'application/acting',
  'application/troubleshooting',
  'application/deploying',
  'application/investigation',
  'application/operations',
  'application/runs',
  'application/flow',
  'application/watching',
  'application/search',
  'application/alerts',
  'application/access',
  'contract/',
  'infrastructure/shared',
  'infrastructure/codec',
  'infrastructure/postgres/network',
  'infrastructure/postgres/connection',
  'infrastructure/postgres/transactions',
  'infrastructure/postgres/replica',
  'infrastructure/postgres/schema',
  'infrastructure/postgres/embedded',
  'infrastructure/postgres/queue',
  'infrastructure/replies',
  'infrastructure/postgres/log',
  'infrastructure/postgres/read-tables',
  'infrastructure/postgres/reading',
  'infrastructure/postgres/replies',
  'infrastructure/postgres/search',
  'infrastructure/postgres/explain',
  'infrastructure/postgres/strangers',
  'infrastructure/postgres/flow',
  'infrastructure/postgres/workers',
  'infrastructure/postgres/alerts',
  'infrastructure/postgres/sensitive',
  'infrastructure/postgres/stats',
  'infrastructure/postgres/figures',
  'infrastructure/postgres/bulk',
  'infrastructure/postgres/rights',
  'infrastructure/postgres/deploying',
  'infrastructure/eventstoredb/connection',
  'infrastructure/eventstoredb/store',
  'infrastructure/eventstoredb/mirror',
  'infrastructure/eventstoredb',
  'infrastructure/worker/failures',
  'infrastructure/worker/client',
  'infrastructure/worker/attempt',
  'infrastructure/worker/queues',
  'infrastructure/worker/announcing',
  'infrastructure/worker/flow',
  'infrastructure/worker/strangers',
  'infrastructure/worker',
  'infrastructure/alerts',
  'infrastructure/runners',
  'infrastructure/rehearsal',
  'infrastructure/live',
  'infrastructure/proof/chain',
  'infrastructure/proof/verification',
  'infrastructure/proof/case',
  'infrastructure/proof/archive',
  'infrastructure/proof',
  'infrastructure/copy-log',
  'infrastructure/telemetry',
  'bus-options.ts',
  'command-bus.ts',
  'infrastructure/demo',
  'infrastructure/http/identity',
  'infrastructure/http/pages',
  'infrastructure/http/requests',
  'infrastructure/http/handlers/answers',
  'infrastructure/http/handlers',
  'infrastructure/http',
  'infrastructure/settings',
  'infrastructure/service',
  'compose',
  'index.ts',
  'telemetry.ts',
  'testing/memory',
  'testing/running',
  'testing/compose',
  'testing',
  'testing/arbitraries',
  'testing/ports',
  'infrastructure/cli/text',
  'infrastructure/cli/support',
  'infrastructure/cli/deploying',
  'infrastructure/cli/troubleshooting',
  'infrastructure/cli/commands',
  'infrastructure/cli/investigation',
  'infrastructure/cli/runs',
  'infrastructure/cli/flow',
  'infrastructure/cli/search',
  'infrastructure/cli/database',
  'infrastructure/cli/watching',
  'infrastructure/cli/service',
  'infrastructure/cli',
  'main.ts',
]

const inRoom = room => (/\.ts$|\/$/.test(room) ? `^src/${room}` : `^src/${room}/[^/]+$`)

const arrowsBack = ROOMS.slice(0, -1).map((room, index) => ({
  name: `${room.replace(/\/$/, '')}-imports-downwards`,
  comment: 'A room imports from the rooms before it in the list of .dependency-cruiser.cjs, and from no other.',
  severity: 'error',
  from: { path: inRoom(room) },
  to: { path: ROOMS.slice(index + 1).map(inRoom) },
}))

/**
 * TypeScript 7 has no compiler API in JavaScript, so the sources are parsed by swc, which sees `import type` as well.
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */
module.exports = {
  forbidden: [
    ...arrowsBack,
    {
      name: 'every-file-has-a-room',
      comment: 'A new folder of src takes its place in the list of rooms.',
      severity: 'error',
      from: { path: '^src/', pathNot: ROOMS.map(inRoom) },
      to: {},
    },
    {
      name: 'domain-stands-alone',
      comment: 'The domain is pure: it imports itself and fp-ts. Time, ids and actors arrive in the intent.',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: ['^src/domain/', '^node_modules/fp-ts/'] },
    },
    {
      name: 'application-knows-ports-only',
      comment: 'A use case imports the domain, its own folder (ports included), fp-ts and io-ts.',
      severity: 'error',
      from: { path: '^src/application/' },
      to: { pathNot: ['^src/application/', '^src/domain/', '^node_modules/(fp-ts|io-ts)/'] },
    },
    {
      name: 'projections-read-events',
      comment: 'A projection is a pure function of events: it imports the domain, its own folder and fp-ts.',
      severity: 'error',
      from: { path: '^src/projections/' },
      to: { pathNot: ['^src/projections/', '^src/domain/', '^node_modules/fp-ts/'] },
    },
    {
      name: 'src-ships-alone',
      comment: 'What ships does not import tests, benchmarks, examples, build output or the sources of the console.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|examples|web|dist|dist-bench)/' },
    },
    {
      name: 'contract-runs-anywhere',
      comment: 'The declaration of the API is part of the console, too: nothing of a server may come with it.',
      severity: 'error',
      from: { path: '^src/contract/' },
      to: {
        pathNot: ['^src/contract/', '^src/domain/', '^src/application/ports/', '^node_modules/(fp-ts|io-ts)/'],
      },
    },
    {
      name: 'console-knows-the-contract',
      comment: 'The console speaks to the service through its declared API, and takes the words and roles from it.',
      severity: 'error',
      from: { path: '^web/' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/contract/',
          '^src/application/(access/roles|permits/permits|ports/authorization|ports/reading/live-events)\\.ts$',
          '^src/domain/[^/]+/(transitions|status|operator-actions|columns|parking)\\.ts$',
          '^src/domain/json/json-(diff|text)\\.ts$',
          '^src/domain/flow/unhandled\\.ts$',
          '^src/domain/(uuid|visible-text)\\.ts$',
        ],
      },
    },
    {
      name: 'console-stands-alone',
      comment: 'The console takes nothing from tests, benchmarks, examples or build output, and nothing of Node.',
      severity: 'error',
      from: { path: '^web/src/' },
      to: { path: ['^(test|bench|examples|dist|dist-bench)/'] },
    },
    {
      name: 'console-runs-in-browsers',
      comment: 'No module of Node in what a browser runs.',
      severity: 'error',
      from: { path: '^(web/src|src/contract)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-dev-dependencies-in-src',
      comment:
        'Users install dependencies, and those peer dependencies that they use: an import of a package that is neither ' +
        'would fail on their machine. uuid is built into the package (docs/adr/0029).',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-peer'], pathNot: '^node_modules/uuid/' },
    },
    {
      name: 'fast-check-for-arbitraries',
      comment: 'fast-check is an optional peer: only the subpath that makes arbitraries loads it.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/testing/arbitraries/' },
      to: { path: '^node_modules/fast-check/' },
    },
    {
      name: 'no-undeclared-dependencies',
      comment: 'A package must be declared in package.json, not merely be there because another one brought it.',
      severity: 'error',
      from: {},
      // peerDependenciesMeta counts as a list of packages that it does not know
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'no-unresolvable',
      comment: 'An import that leads nowhere would slip past every rule above.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-cycles',
      comment: 'A cycle, also one of types alone, means that two files are one.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: '^node_modules/' },
    exclude: { path: '^(bench/peers|dist|dist-bench)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types', 'typings'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
}
