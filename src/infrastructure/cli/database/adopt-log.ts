import type { Command } from 'commander'
import { type AdoptionPlan, adoptLog, planAdoption } from '../../copy-log/adopt-log.ts'
import { readConfig } from '../../settings/config.ts'
import { signerIfAny, signerOf } from '../../settings/proof-home.ts'
import type { CliDeps } from '../support/deps.ts'
import { operatorOf } from '../support/input.ts'
import { withDatabase } from '../support/session.ts'
import { counted, print, printJson } from '../text/output.ts'
import { startPhases } from '../text/progress.ts'

interface Options {
  readonly operator?: string
  readonly dryRun?: true
  readonly json?: true
}

export const addAdoptLog = (program: Command, deps: CliDeps): void => {
  program
    .command('adopt-log')
    .description("adapt a log that was restored from another server's dump to this server; stop every service first")
    .option('--operator <who>', 'who does this; a seal names them (default: your user name)')
    .option('--dry-run', 'say what would be changed, and change nothing')
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const config = readConfig(deps.env)
      const by = operatorOf(options.operator)
      await withDatabase(config, async ({ url: databaseUrl, kind }) => {
        if (options.dryRun) {
          const plan = await planAdoption({ databaseUrl })
          if (options.json) printJson({ ...plan, dryRun: true })
          else print(`Would rewrite ${planText(plan)}${usedUpText(plan)}\nNothing was changed.`)
          return
        }
        // on the user's own server, only a home that has a key already seals; see `verify`
        const signer = kind === 'embedded' ? await signerOf(config) : await signerIfAny(config)
        const bars = startPhases({ 'using up': 'ids used up', rewriting: 'events rewritten' })
        const done = await adoptLog({ databaseUrl, signer, by, onProgress: bars.onProgress }).finally(bars.end)
        if (options.json) printJson(done)
        else print(`Rewrote ${planText(done)}\nCheck it with \`commandbus verify\`, then start the services.`)
      })
    })
}

const planText = ({ events, archived, seals, checkpoints, from, to }: AdoptionPlan): string =>
  `the transaction ids of ${counted(events, 'event')}, ${counted(archived, 'archived event')}, ${counted(seals, 'seal')} and ${counted(checkpoints, 'checkpoint')}: ${from.first} to ${from.last} become ${to.first} to ${to.last}.`

const usedUpText = ({ usedUp }: AdoptionPlan): string =>
  usedUp === 0
    ? ''
    : `\nThis server has given out too few ids for that: ${counted(usedUp, 'id')} would be used up first.`
