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

/** Test files and the contract suite beside a port: they may import vitest, and nothing that ships imports them. */
const suite = '\\.(test|contract)\\.ts$'

/**
 * The one direction of imports: entrypoints -> infrastructure -> application -> domain; projections read the domain.
 * TypeScript 7 has no compiler API in JavaScript, so the sources are parsed by swc, which sees `import type` as well.
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */
module.exports = {
  forbidden: [
    {
      name: 'domain-stands-alone',
      comment: 'The domain is pure: it imports itself and fp-ts. Time, ids and actors arrive in the intent.',
      severity: 'error',
      from: { path: '^src/domain/', pathNot: suite },
      to: { pathNot: ['^src/domain/', '^node_modules/fp-ts/'] },
    },
    {
      name: 'application-knows-ports-only',
      comment: 'A use case imports the domain, its own folder (ports included), fp-ts and io-ts.',
      severity: 'error',
      from: { path: '^src/application/', pathNot: suite },
      to: { pathNot: ['^src/application/', '^src/domain/', '^node_modules/(fp-ts|io-ts)/'] },
    },
    {
      name: 'projections-read-events',
      comment: 'A projection is a pure function of events: it imports the domain, its own folder and fp-ts.',
      severity: 'error',
      from: { path: '^src/projections/', pathNot: suite },
      to: { pathNot: ['^src/projections/', '^src/domain/', '^node_modules/fp-ts/'] },
    },
    {
      name: 'composition-roots-are-roots',
      comment: 'src/main.ts and src/compose/create-command-bus.ts wire the layers together; no layer knows them.',
      severity: 'error',
      from: { path: '^src/(domain|application|projections|infrastructure)/' },
      to: { path: '^src/(main|index|command-bus|create-command-bus)\\.ts$' },
    },
    {
      name: 'only-roots-beside-the-layers',
      comment:
        'Every file of src is in a layer; only the library (its index, its types, its composition) and the program stand beside them.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: [
          '^src/(domain|application|projections|infrastructure)/',
          '^src/(main|index|command-bus|create-command-bus)\\.ts$',
        ],
      },
      to: {},
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
      from: { path: '^src/infrastructure/http/contract/' },
      to: {
        pathNot: [
          '^src/infrastructure/http/contract/',
          '^src/domain/',
          '^src/application/ports/[^/]+\\.ts$',
          '^node_modules/(fp-ts|io-ts)/',
        ],
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
          '^src/infrastructure/http/contract/',
          '^src/application/(roles|ports/authorization)\\.ts$',
          '^src/domain/[^/]+/(transitions|status)\\.ts$',
          '^src/domain/json-text\\.ts$',
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
      from: { path: '^(web/src|src/infrastructure/http/contract)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-test-helpers-in-src',
      comment: 'A contract suite may stand beside its port; only tests import it.',
      severity: 'error',
      from: { path: '^src/', pathNot: suite },
      to: { path: suite },
    },
    {
      name: 'no-dev-dependencies-in-src',
      comment: 'Users install dependencies only: an import of a devDependency would fail on their machine.',
      severity: 'error',
      from: { path: '^src/', pathNot: suite },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm'] },
    },
    {
      name: 'no-undeclared-dependencies',
      comment: 'A package must be declared in package.json, not merely be there because another one brought it.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
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
