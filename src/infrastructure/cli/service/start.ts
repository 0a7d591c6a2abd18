import type { Command } from 'commander'
import { defined } from '../../../application/shared/input.ts'
import { readConfig } from '../../settings/config.ts'
import { loadWith } from '../../shared/optional-packages.ts'
import type { CliDeps } from '../support/deps.ts'
import { systemUser } from '../support/input.ts'
import { fields, print, printJson } from '../text/output.ts'

interface Options {
  readonly demo?: true
  readonly host?: string
  readonly port?: string
  readonly rehearseWith?: string
  readonly json?: true
}

/** Printed only here: the token allows everything. */
const tokenText = (token: string | undefined, url: string): string =>
  token === undefined
    ? ''
    : `\n\nConsole, signed in for 12 hours with every role:\n  ${url}/#token=${token}\n\nThe HTTP API takes the same token (what follows #token=):\n  curl -H "authorization: Bearer <token>" ${url}/api/v1/commands\n  ${url}/docs`

export const addStart = (program: Command, deps: CliDeps): void => {
  program
    .command('start')
    .description('run the service until it is stopped (Ctrl-C)')
    .option('--demo', 'also run a worker for domains demo, operations and workflow, and send a few commands')
    .option('--port <port>', 'where HTTP listens; 0 for any free port (default: PORT, or 4000)')
    .option('--host <host>', 'where HTTP listens (default: HOST, or 127.0.0.1)')
    .option(
      '--rehearse-with <module>',
      'an ES module of handlers, as for `worker`, to rehearse and to check edited payloads',
    )
    .option('--json', 'print JSON')
    .action(async ({ host, port, demo, rehearseWith, json }: Options) => {
      const config = readConfig(deps.env, defined({ host, port }))
      // the HTTP server takes longer to load than most other commands to run
      const [{ runService }, { createLogger }] = await loadWith(
        '`commandbus start`',
        ['service', 'telemetry', ...(config.databaseUrl === undefined ? (['embedded'] as const) : [])],
        () => Promise.all([import('../../service/run.ts'), import('../../telemetry/logger.ts')]),
      )
      await runService({
        ...deps,
        config,
        demo: demo === true,
        ...(rehearseWith === undefined ? {} : { rehearseWith }),
        user: systemUser() ?? 'operator',
        log: createLogger({ level: config.logLevel, name: 'service' }),
        onReady: ({ url, running, commands, token }) => {
          if (json) printJson({ url, pid: process.pid, home: config.home, ...(token === undefined ? {} : { token }) })
          else {
            const tries = commands.map(command => `  ${command}`).join('\n')
            print(
              `\ncommandbus runs at ${url}\n\n${fields(running)}${tokenText(token, url)}\n\nTry in another terminal:\n${tries}\n\nCtrl-C stops.`,
            )
          }
        },
      })
    })
}
