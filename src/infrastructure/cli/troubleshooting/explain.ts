import type { Command } from 'commander'
import type { Cause } from '../../../application/ports/reading/explain.ts'
import { printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { counted } from '../text/output.ts'

interface Options extends Pick<Cause, 'domain' | 'errorCode' | 'frame'> {
  readonly type: string
  readonly json?: true
}

/** Adds `tsq explain`. */
export const addExplain = (tsq: Command, deps: CliDeps): void => {
  tsq
    .command('explain')
    .description('show what the failed commands of a cause have in common that the succeeded ones have not')
    .requiredOption('--domain <domain>', 'the domain of the cause')
    .requiredOption('--type <type>', 'its command type')
    .requiredOption('--error-code <code>', 'its error code')
    .option('--frame <place>', 'where its error is thrown, as `tsq groups` shows it; none: where that is not known')
    .option('--json', 'print JSON')
    .action(async ({ domain, type, errorCode, frame, json }: Options) => {
      const cause = { domain, commandType: type, errorCode, ...(frame === undefined ? {} : { frame }) }
      await printAnswer(deps, { json }, async bus => {
        const explained = await bus.troubleshooting.explain(cause)
        const { failed, succeeded, findings } = explained
        const compared = `Compared: ${counted(failed, 'failed command')} and ${counted(succeeded, 'succeeded one')} of type ${type}.`
        const found = findings.map(({ sentence }, i) => `${i + 1}. ${sentence}`)
        return [explained, [...(found.length === 0 ? ['Nothing stands out.'] : found), '', compared].join('\n')]
      })
    })
}
