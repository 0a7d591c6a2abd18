import type { Command } from 'commander'
import { CommandBusError } from '../../../application/shared/errors.ts'
import { defined } from '../../../application/shared/input.ts'
import { hostInUrl } from '../../http/host-in-url.ts'
import { type Config, DEFAULT_PORT, readConfig } from '../../settings/config.ts'
import { ownSigner } from '../../settings/identity-options.ts'
import { loadWith } from '../../shared/optional-packages.ts'
import type { CliDeps } from '../support/deps.ts'
import { oneSentence } from '../support/failure.ts'
import { print } from '../text/output.ts'

interface Options {
  readonly port?: string
  readonly host?: string
}

const ANSWER_MS = 4_000

export const addHealthCommand = (program: Command, deps: CliDeps): void => {
  program
    .command('health')
    .description('ask a `start` or `worker` on this machine whether it is ready: exit code 0 or 1')
    .option('--port <port>', 'where it listens (default: PORT, or 4000)')
    .option('--host <host>', 'where it listens (default: HOST, or 127.0.0.1)')
    .action(async ({ port, host }: Options) => {
      const config = readConfig(deps.env, defined({ host, port }))
      if (config.port === 0)
        throw new CommandBusError('USAGE', 'port 0 is any free port: give the port that was taken, with --port or PORT')
      await askReadiness(
        `http://${hostInUrl(reachable(config.host))}:${config.port ?? DEFAULT_PORT}/health/ready`,
        await ownToken(config),
      )
    })
}

const TOKEN_S = 60

/** A token to see the reasons, signed with the secret of this service; null without it: then there is only the status. */
const ownToken = async (config: Config): Promise<string | null> => {
  const signer = await ownSigner(config)
  if (signer === null) return null
  const { signToken } = await loadWith('`commandbus health`', ['tokens'], () => import('../../http/identity/token.ts'))
  return signToken(signer, { subject: 'commandbus health', tenant: null, roles: ['AUDITOR'] }, TOKEN_S)
}

/** A process that listens on all addresses is reached at the loopback address. */
const reachable = (host: string): string => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host)

/** Prints the status. @throws CommandBusError NOT_READY with the reasons */
const askReadiness = async (url: string, token: string | null): Promise<void> => {
  const response = await fetch(url, {
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(ANSWER_MS),
    redirect: 'error',
  }).catch(error => {
    throw new CommandBusError('NOT_READY', `nothing answers at ${url} (${whyOf(error)})`)
  })
  const report: unknown = await response.json().catch(() => null)
  const status = textOf(report, 'status') || String(response.status)
  if (!response.ok) {
    const reasons = textOf(report, 'reasons')
    throw new CommandBusError('NOT_READY', oneSentence(`${status}: ${reasons || 'the log of that process says why'}`))
  }
  print(status)
}

const whyOf = (error: Error): string => {
  if (error.name === 'TimeoutError') return `not within ${ANSWER_MS / 1000} s`
  const cause = error.cause as NodeJS.ErrnoException | undefined
  return cause?.code ?? cause?.message ?? error.message
}

/** A member of the response as text; a process that is not commandbus may answer anything. */
const textOf = (report: unknown, member: string): string => {
  const value = (report as { readonly [name: string]: unknown } | null)?.[member]
  return Array.isArray(value) ? value.join('; ') : typeof value === 'string' ? value : ''
}
