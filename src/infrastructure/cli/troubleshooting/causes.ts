import type { Command } from 'commander'
import type { Cause, CauseOptions } from '../../../application/flow/causes.ts'
import { commandTypeOf, domainOf, textOf } from '../../../application/shared/input.ts'
import { assigneeOf, tagsOf } from '../../../application/troubleshooting/action-details.ts'
import { MAX_ASSIGNEE, MAX_NOTE } from '../../../domain/command/actions/care-actions.ts'
import type { CauseKey } from '../../../domain/flow/cause/events.ts'
import { printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { UsageError } from '../support/failure.ts'
import { instantAhead, operatorOf } from '../support/input.ts'
import { fields, plain, when } from '../text/output.ts'

interface Flags {
  readonly domain: string
  readonly type: string
  readonly errorCode: string
  readonly operator?: string
  readonly json?: true
}

/** `causes`: what operators write down about why commands are parked. */
export const addCauses = (program: Command, deps: CliDeps): void => {
  const causes = program
    .command('causes')
    .description('notes, an assignee and tags on why commands are parked: a domain, type and error code')

  of(causes, 'show', 'what is written down about a cause').action((flags: Flags) =>
    printAnswer(deps, flags, async bus => answerOf(await bus.causes.get(keyOf(flags)))),
  )

  acting(causes, 'note', 'add a note')
    .requiredOption('--text <text>', 'the note, up to 2,000 characters')
    .action((flags: Flags & { readonly text: string }) => {
      const options = { ...optionsOf(flags), text: textOf(flags.text, '--text', MAX_NOTE) }
      return printAnswer(deps, flags, async bus => answerOf(await bus.causes.note(options)))
    })

  acting(causes, 'assign', 'say who takes care of it')
    .requiredOption('--assignee <who>', "who; '' for nobody")
    .action((flags: Flags & { readonly assignee: string }) => {
      const assignee = assigneeOf(flags.assignee === '' ? null : flags.assignee, '--assignee', MAX_ASSIGNEE)
      const options = { ...optionsOf(flags), assignee }
      return printAnswer(deps, flags, async bus => answerOf(await bus.causes.assign(options)))
    })

  acting(causes, 'tag', 'replace its tags')
    .requiredOption('--tags <tags>', "tags with commas between them; '' for none")
    .action((flags: Flags & { readonly tags: string }) => {
      const tags = tagsOf(flags.tags.trim() === '' ? [] : flags.tags.split(','), '--tags')
      return printAnswer(deps, flags, async bus => answerOf(await bus.causes.tag({ ...optionsOf(flags), tags })))
    })

  acting(causes, 'investigate', 'leave its commands out of counts and alerts for a while; they stay in the lists')
    .option('--until <time>', 'until when: an ISO 8601 time, or a time from now like 30m, 12h or 7d')
    .option('--end', 'they count again')
    .option('--reason <text>', 'why; shown with the cause')
    .action((flags: Flags & { readonly until?: string; readonly end?: true; readonly reason?: string }) => {
      const { until, end, reason } = flags
      if ((until === undefined) === (end === undefined)) throw new UsageError('give one of --until and --end')
      const options = {
        ...optionsOf(flags),
        until: until === undefined ? null : instantAhead('--until', until),
        ...(reason === undefined ? {} : { reason: textOf(reason, '--reason') }),
      }
      return printAnswer(deps, flags, async bus => answerOf(await bus.causes.investigate(options)))
    })
}

const of = (causes: Command, name: string, description: string): Command =>
  causes
    .command(name)
    .description(description)
    .requiredOption('--domain <domain>', 'the domain of the commands')
    .requiredOption('--type <type>', 'their type')
    .requiredOption('--error-code <code>', 'the code of their last error')
    .option('--json', 'print JSON')

const acting = (causes: Command, name: string, description: string): Command =>
  of(causes, name, description).option('--operator <who>', 'who does it, for the record (default: your user name)')

const keyOf = ({ domain, type, errorCode }: Flags): CauseKey => ({
  domain: domainOf(domain),
  commandType: commandTypeOf(type),
  errorCode: textOf(errorCode, '--error-code'),
})

const optionsOf = (flags: Flags): CauseOptions => ({
  ...keyOf(flags),
  operator: textOf(operatorOf(flags.operator), 'operator', 200),
})

const answerOf = (cause: Cause): readonly [Cause, string] => [
  cause,
  [
    fields([
      ['Cause', `${cause.domain} ${cause.commandType} ${cause.errorCode}`],
      ['Assignee', cause.assignee],
      ['Tags', cause.tags.join(', ')],
      [
        'Investigated',
        cause.investigatedUntil === null ? '' : `until ${when(cause.investigatedUntil)} by ${cause.investigatedBy}`,
      ],
      ['Reason', cause.investigationReason],
    ]),
    ...cause.notes.map(({ at, operator, text }) => `${when(at)} ${plain(operator)}: ${plain(text)}`),
  ].join('\n'),
]
