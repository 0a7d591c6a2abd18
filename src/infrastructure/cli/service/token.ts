import type { Command } from 'commander'
import { isRight } from 'fp-ts/lib/Either.js'
import { EVERY_DOMAIN, permitNames } from '../../../application/permits/permits.ts'
import { type Role, roles } from '../../../application/ports/authorization.ts'
import { textOf } from '../../../application/shared/input.ts'
import { parseDomain } from '../../../domain/command/names.ts'
import { ConfigError, readConfig } from '../../settings/config.ts'
import { identityOptions } from '../../settings/identity-options.ts'
import { loadWith } from '../../shared/optional-packages.ts'
import type { CliDeps } from '../support/deps.ts'
import { UsageError } from '../support/failure.ts'
import { print, printJson } from '../text/output.ts'

interface Options {
  readonly sub: string
  readonly roles: string
  readonly permissions?: string
  readonly tenant?: string
  readonly ttl: string
  readonly json?: true
}

const MAX_CLAIM = 128
const MAX_TTL_S = 365 * 86_400
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

export const addToken = (program: Command, deps: CliDeps): void => {
  program
    .command('token')
    .description('print a token for the HTTP API, signed with the secret of this service')
    .requiredOption('--sub <who>', 'who it is for, like jane@example.com; the audit names them')
    .requiredOption('--roles <roles>', `what they may do, joined by commas: ${roles.join(', ')}`)
    .option('--permissions <list>', 'only these of what the roles allow, like retry@payments,edit@payments,read@*')
    .option('--tenant <tenant>', 'only rows of this tenant (default: rows without a tenant; with ADMIN all rows)')
    .option('--ttl <time>', 'how long it is valid, like 30m, 1h or 7d', '1h')
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const identity = {
        subject: textOf(options.sub, '--sub', MAX_CLAIM),
        tenant: options.tenant === undefined ? null : textOf(options.tenant, '--tenant', MAX_CLAIM),
        roles: rolesOf(options.roles),
        ...(options.permissions === undefined ? {} : { permissions: permitsOf(options.permissions) }),
      }
      const ttl = secondsOf(options.ttl)
      const { secret, ...claims } = await identityOptions({ ...readConfig(deps.env), host: 'localhost' })
      if (secret === undefined) {
        throw new ConfigError('COMMANDBUS_JWKS_URL is set, so your identity provider signs tokens: ask it for one')
      }
      const { signToken } = await loadWith(
        '`commandbus token`',
        ['tokens'],
        () => import('../../http/identity/token.ts'),
      )
      const token = await signToken({ ...claims, secret }, identity, ttl)
      if (options.json) printJson({ token, ...identity, expiresInSeconds: ttl })
      else print(token)
    })
}

const rolesOf = (text: string): readonly Role[] =>
  text.split(',').map(given => {
    const role = roles.find(known => known === given.trim().toUpperCase())
    if (role === undefined) throw new UsageError(`--roles must be one or more of ${roles.join(', ')}, joined by commas`)
    return role
  })

const permitsOf = (text: string): readonly string[] =>
  text.split(',').map(given => {
    const [, name, domain = ''] = /^([^@]*)@(.*)$/.exec(given.trim()) ?? []
    if (permitNames.some(known => known === name) && (domain === EVERY_DOMAIN || isRight(parseDomain(domain)))) {
      return `${name}@${domain}`
    }
    throw new UsageError(
      `--permissions must be texts like retry@payments or read@*, joined by commas, each with one of ${permitNames.join(', ')}`,
    )
  })

const secondsOf = (text: string): number => {
  const [, number, unit] = /^(\d{1,6})(s|m|h|d)$/.exec(text.trim()) ?? []
  const seconds = Number(number) * (UNITS[unit ?? ''] ?? Number.NaN)
  if (!(seconds > 0 && seconds <= MAX_TTL_S))
    throw new UsageError('--ttl must be a time like 30m, 1h or 7d, at most 365d')
  return seconds
}
