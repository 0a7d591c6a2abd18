import type { Command } from 'commander'
import type { CodecFault, CodecReport } from '../../../application/deploying/codec-report.ts'
import type { OpenType } from '../../../application/ports/deploying.ts'
import { domainOf } from '../../../application/shared/input.ts'
import { createPayloads } from '../../postgres/deploying/payloads.ts'
import { assertSchemaCurrent } from '../../postgres/schema/schema-version.ts'
import { checkCodecs } from '../../rehearsal/check-codecs.ts'
import { withPool } from '../../service/database.ts'
import { readConfig } from '../../settings/config.ts'
import type { CliDeps } from '../support/deps.ts'
import { Refused } from '../support/failure.ts'
import { loadHandlers } from '../support/handlers-module.ts'
import { instantBack } from '../support/input.ts'
import { withDatabase } from '../support/session.ts'
import { type Column, print, printJson, table, when } from '../text/output.ts'

interface Options {
  readonly handlers: string
  readonly domain?: string
  readonly since: string
  readonly json?: true
}

/** Adds `codecs check`, which shows before a deploy what the new handlers could not read. */
export const addCodecs = (program: Command, deps: CliDeps): void => {
  program
    .command('codecs')
    .description('what the handlers of a module can read')
    .command('check')
    .description('decode the payloads that wait, are parked or were sent lately with the codecs of new handlers')
    .requiredOption(
      '--handlers <module>',
      'a module that exports `handlers`, by domain and command type, or a function that makes them',
    )
    .option('--domain <domain>', 'only this domain; for a module of one domain, its domain')
    .option(
      '--since <when>',
      'of commands that have ended, those that were sent since then: 24h, 7d or an ISO 8601 time',
      '7d',
    )
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const domain = options.domain === undefined ? undefined : domainOf(options.domain)
      const since = instantBack('--since', options.since)
      const config = readConfig(deps.env)
      const handlers = await loadHandlers(options.handlers, domain)
      const report = await withDatabase(config, database =>
        withPool(database, async pool => {
          await assertSchemaCurrent(pool)
          return checkCodecs({ payloads: createPayloads(pool), handlers, since })
        }),
      )
      if (options.json) printJson({ since, ...report })
      else print(reportText(since, report))
      if (report.refused > 0) throw new Refused('the new codecs refuse payloads')
    })
}

const number = (count: number): string => count.toLocaleString('en-US')

const reportText = (since: string, { checked, refused, faults, withoutHandler, ...report }: CodecReport): string =>
  [
    `Checked ${number(checked)} ${checked === 1 ? 'payload' : 'payloads'}: all that wait or are parked, and those that were sent since ${when(since)}.`,
    ...(refused === 0
      ? [
          checked === 0
            ? 'No handler of this module has a codec, or there is no payload for one.'
            : 'The codecs accept all of them.',
        ]
      : [
          `Refused: ${number(refused)}, of which ${number(report.refusedWaiting)} wait and ${number(report.refusedParked)} are parked.`,
          table(faults, columns),
        ]),
    ...(report.faultsOmitted === undefined ? [] : ['Further paths are left out: names of members come from data.']),
    ...(withoutHandler.length === 0
      ? []
      : [`Types that wait or are parked, and have no handler in this module:\n${table(withoutHandler, openColumns)}`]),
  ].join('\n\n')

const columns: readonly Column<CodecFault>[] = [
  { title: 'PAYLOADS', value: ({ payloads }) => payloads },
  { title: 'WAITING', value: ({ waiting }) => waiting },
  { title: 'PARKED', value: ({ parked }) => parked },
  { title: 'DOMAIN', value: ({ domain }) => domain },
  { title: 'TYPE', value: ({ commandType }) => commandType },
  { title: 'PATH', value: ({ path }) => path },
  { title: 'FAULT', value: ({ fault }) => fault, flexible: true },
  { title: 'FOR EXAMPLE', value: ({ commandId }) => commandId, spare: true },
]

const openColumns: readonly Column<OpenType>[] = [
  { title: 'WAITING', value: ({ waiting }) => waiting },
  { title: 'PARKED', value: ({ parked }) => parked },
  { title: 'DOMAIN', value: ({ domain }) => domain },
  { title: 'TYPE', value: ({ commandType }) => commandType },
]
