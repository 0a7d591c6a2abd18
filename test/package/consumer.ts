import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { extract } from 'tar'
import { inject } from 'vitest'

export const repository = fileURLToPath(new URL('../../', import.meta.url))

const execute = promisify(execFile)

export interface Ran {
  readonly code: number
  /** Standard output and standard error. */
  readonly output: string
}

/** Runs a program to its end; npm's variables stay behind, so that nothing of this repository reaches it. */
export const run = async (
  command: string,
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Ran> => {
  const { PATH, HOME } = process.env
  try {
    const { stdout, stderr } = await execute(command, args, {
      cwd,
      env: { PATH, HOME, TMPDIR: tmpdir(), ...env },
      maxBuffer: 64 * 1024 * 1024,
    })
    return { code: 0, output: stdout + stderr }
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string }
    if (typeof code !== 'number') throw error
    return { code, output: stdout + stderr }
  }
}

export interface Packed {
  readonly tarball: string
  /** The tarball's content. */
  readonly directory: string
  readonly remove: () => Promise<void>
}

/** What examples make and install in their folders. */
const built = /\/(dist|\.next|node_modules)$/

/** `npm pack` of the package as it was compiled for the tests; the console's page is left out. */
export const pack = async (): Promise<Packed> => {
  const place = await mkdtemp(join(tmpdir(), 'commandbus-pack-'))
  const source = join(place, 'source')
  await mkdir(source)
  await cp(join(inject('compiledPackage'), 'dist'), join(source, 'dist'), { recursive: true })
  for (const name of ['package.json', 'migrations', 'docs', 'deploy', 'examples', 'README.md', 'LICENSE'])
    await cp(join(repository, name), join(source, name), { recursive: true, filter: path => !built.test(path) })
  for (const name of ['CHANGELOG.md', 'CONTRIBUTING.md']) await cp(join(repository, name), join(source, name))
  await symlink(join(repository, 'node_modules'), join(source, 'node_modules'))
  await succeed(process.execPath, [join(repository, 'scripts', 'build-commonjs.mjs'), source], repository)
  await succeed('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', place], source)
  const { version } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'))
  const tarball = join(place, `commandbus-${version}.tgz`)
  await extract({ file: tarball, cwd: place })
  await rm(source, { recursive: true })
  return { tarball, directory: join(place, 'package'), remove: () => rm(place, { recursive: true, force: true }) }
}

/** What a tarball would have of programs, without the time that packing takes: no CommonJS, no pages. */
export const unpacked = async (): Promise<Packed> => {
  const place = await mkdtemp(join(tmpdir(), 'commandbus-unpacked-'))
  const directory = join(place, 'package')
  await mkdir(directory)
  await cp(join(inject('compiledPackage'), 'dist'), join(directory, 'dist'), { recursive: true })
  for (const name of ['package.json', 'migrations'])
    await cp(join(repository, name), join(directory, name), { recursive: true })
  return { tarball: '', directory, remove: () => rm(place, { recursive: true, force: true }) }
}

/** Runs a script; gives what it printed as JSON. */
export const runProgram = async (file: string, env: NodeJS.ProcessEnv): Promise<unknown> => {
  const { code, output } = await run(process.execPath, [file], { cwd: dirname(file), env })
  if (code !== 0) throw new Error(output)
  return JSON.parse(output)
}

/** A program in TypeScript that uses the public types. */
export const typedProgram = (): Promise<string> =>
  readFile(join(repository, 'test', 'package', 'fixtures', 'use.txt'), 'utf8')

export const succeed = async (
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<void> => {
  const { code, output } = await run(command, args, { cwd, env })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${output}`)
}

interface Locked {
  readonly dev?: boolean
  readonly devOptional?: boolean
}

export const emptyProject = async (packed: Packed): Promise<string> => {
  const place = join(dirname(packed.directory), 'consumer')
  await mkdir(place)
  await writeFile(join(place, 'package.json'), '{ "name": "consumer", "version": "1.0.0" }\n')
  return place
}

/** The names that `npm install` brings beside the package itself; without those that are optional. */
export const installedNames = async (): Promise<readonly string[]> => {
  const { packages } = JSON.parse(await readFile(join(repository, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, Locked>>
  }
  return Object.entries(packages).flatMap(([path, { dev = false, devOptional = false }]) => {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? []
    return name === undefined || dev || devOptional ? [] : [name]
  })
}

/**
 * A project that depends only on the package. It finds what an installation without development
 * dependencies would bring, as links to this repository's copies.
 */
export const consumer = async (packed: Packed): Promise<string> => {
  const place = await emptyProject(packed)
  const modules = join(place, 'node_modules')
  await mkdir(modules)
  await cp(packed.directory, join(modules, 'commandbus'), { recursive: true })
  await addPackages(place, await installedNames())
  return place
}

/** Adds packages to a project, as links to this repository's copies. */
export const addPackages = async (project: string, names: readonly string[]): Promise<void> => {
  const modules = join(project, 'node_modules')
  for (const name of names) {
    const source = join(repository, 'node_modules', name)
    if (!existsSync(source)) continue
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(source, join(modules, name))
  }
}

const body = `
const { setTimeout: delay } = require('node:timers/promises')
class CardDeclined extends Error { name = 'CardDeclined' }
const fail = error => async () => { throw error }
const handlers = {
  Charge: defineHandler({ handle: async data => ({ charged: data.amount }) }),
  Refuse: fail(new PermanentCommandError('NO_CARD', 'the card is unknown')),
  Limit: fail(new BusinessRuleError('LIMIT_EXCEEDED', 'the card has a limit')),
  Decline: fail(new CardDeclined('declined')),
}
const main = async () => {
  const bus = createCommandBus({ databaseUrl: process.env.DATABASE_URL })
  await bus.worker({ domain: 'bundled', handlers }).start()
  const outcomeOf = async type => {
    const { commandId } = await bus.send('bundled', type, { amount: 5 }, { maxAttempts: 1 })
    for (;;) {
      const { status, parkedReason, result, lastErrorCode } = await bus.getCommand('bundled', commandId)
      if (!['PENDING', 'IN_PROGRESS'].includes(status)) return [status, parkedReason, result, lastErrorCode]
      await delay(20)
    }
  }
  const outcomes = []
  for (const type of Object.keys(handlers)) outcomes.push(await outcomeOf(type))
  const refused = await bus.send('no domain!', 'Charge', {}).catch(error => [error instanceof CommandBusError, error.code])
  await bus.close()
  console.log(JSON.stringify({ outcomes, refused }))
}
main().catch(error => { console.error(error); process.exit(1) })
`
const names = 'BusinessRuleError, CommandBusError, createCommandBus, defineHandler, PermanentCommandError'

/** A program that sends and works on four commands. It prints `appAnswer`. */
export const esmApp = `import { createRequire } from 'node:module'
import { ${names} } from 'commandbus'
const require = createRequire(import.meta.url)
${body}`
/** The same for a bundler, which makes an import of what is required. */
export const bareEsmApp = esmApp.replace(/^.*createRequire.*$/gm, '')
export const cjsApp = `const { ${names} } = require('commandbus')
${body}`
export const appAnswer = {
  outcomes: [
    ['COMPLETED', null, { charged: 5 }, null],
    ['IN_TROUBLESHOOTING_QUEUE', 'PERMANENT', null, 'NO_CARD'],
    ['FAILED', null, null, 'LIMIT_EXCEEDED'],
    ['IN_TROUBLESHOOTING_QUEUE', 'EXHAUSTED', null, 'CardDeclined'],
  ],
  refused: [true, 'INVALID_REQUEST'],
}

/** The scripts that a program loads, as the engine sees them. */
export const loadedBy = async (file: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> => {
  const place = await mkdtemp(join(dirname(file), 'loaded-'))
  await runProgram(file, { ...env, NODE_V8_COVERAGE: place })
  const reports = await Promise.all((await readdir(place)).map(name => readFile(join(place, name), 'utf8')))
  return reports.flatMap(report => JSON.parse(report).result.map(({ url }: { url: string }) => url))
}

/** The modules of `src` that loaded files of the package were made of: each file says so above each part. */
export const modulesIn = async (scripts: readonly string[]): Promise<readonly string[]> => {
  const ours = scripts.filter(url => url.includes('/node_modules/commandbus/dist/'))
  const texts = await Promise.all(ours.map(url => readFile(fileURLToPath(url), 'utf8')))
  return texts.flatMap(text => Array.from(text.matchAll(/^\/\/ src\/(\S+)$/gm), ([, module = '']) => module))
}

/** A folder far down, with \`migrations\` folders of other programs above it, for a program that was bundled. */
export const foreignPlace = async (packed: Packed): Promise<string> => {
  const place = await mkdtemp(join(dirname(packed.directory), 'bundled-'))
  const deep = join(place, 'a', 'b', 'c')
  await mkdir(deep, { recursive: true })
  for (const folder of [place, join(place, 'a'), join(place, 'a', 'b'), deep]) {
    await mkdir(join(folder, 'migrations'))
    await writeFile(join(folder, 'migrations', '0001_not_ours.sql'), 'drop schema public cascade;')
  }
  return deep
}
