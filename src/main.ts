#!/usr/bin/env node
import { fileURLToPath } from 'node:url'
import { createCommandBus } from './index.ts'
import { runCli } from './infrastructure/cli/program.ts'
import { failureOf, UsageError } from './infrastructure/cli/support/failure.ts'
import { printNote } from './infrastructure/cli/text/output.ts'
import { ownPackage } from './infrastructure/shared/package-root.ts'

/** The program needs files of its package (migrations, the console, PostgreSQL): they are not there where it was bundled. */
const ownVersion = (): string => {
  const version = ownPackage()?.version
  if (version !== undefined) return version
  throw new UsageError('this program cannot be bundled: run it from its package, with `npx commandbus`')
}

/** Nobody waits longer for what is done before the end. */
const CRASH_MS = 5_000
let beforeCrash: ((error: unknown) => Promise<unknown>) | null = null
let crashing = false

// What is left after this has nothing to say that a person could use.
const endWith = (error: unknown): void => {
  if (crashing) return
  crashing = true
  const end = (): never => {
    printNote(`commandbus: ${failureOf(error).message}`)
    process.exit(1)
  }
  if (beforeCrash === null) end()
  else {
    setTimeout(end, CRASH_MS)
    beforeCrash(error).then(end, end)
  }
}
process.on('uncaughtException', endWith)
process.on('unhandledRejection', endWith)
// `commandbus list | head` closes the pipe early
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const exitCode = await runCli(
  {
    createBus: createCommandBus,
    version: ownVersion(),
    program: fileURLToPath(import.meta.url),
    beforeCrash: work => {
      beforeCrash = work
    },
    env: process.env,
  },
  process.argv.slice(2),
)

// what a full pipe has not taken yet would be lost: half a JSON document
const written = (stream: NodeJS.WriteStream): Promise<void> => new Promise(done => stream.write('', () => done()))
await Promise.all([written(process.stdout), written(process.stderr)])
process.exit(exitCode)
