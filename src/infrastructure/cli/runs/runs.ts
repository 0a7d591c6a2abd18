import type { Command } from 'commander'
import type {
  PerFileResult,
  WorkflowRun,
  WorkflowTemplate,
} from '../../../application/ports/reading/workflow-queries.ts'
import {
  filesOf,
  priceOf,
  retryCountOf,
  runStatusOf,
  templateNameOf,
} from '../../../application/runs/workflow-input.ts'
import type { RetryPreview } from '../../../application/runs/workflow-runs.ts'
import { commandIdOf, pagingOf, textOf } from '../../../application/shared/input.ts'
import { runStatuses } from '../../../domain/workflow-run/status.ts'
import { addRunsReplay } from '../investigation/runs-replay.ts'
import { allPages, printAnswer, printPage } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { numberOf, readJson } from '../support/input.ts'
import { asPrincipal, type PrincipalOptions, principalOf } from '../support/principal.ts'
import { type Column, counted, fields, table, timeColumn, when } from '../text/output.ts'

interface StartOptions extends PrincipalOptions {
  readonly template: string
  readonly files: string
  readonly maxRetries?: number
  readonly test?: true
}

interface ListOptions extends PrincipalOptions {
  readonly status?: string
  readonly limit?: number
  readonly cursor?: string
}

/** `runs`: workflows over many files, and their templates. */
export const addRuns = (program: Command, deps: CliDeps): void => {
  const runs = program.command('runs').description('run workflows over many files, and continue what failed')
  addTemplates(runs, deps)

  asPrincipal(runs.command('start').description('start a run; it costs files x the price of its template'))
    .requiredOption('--template <id>', 'the id of the template')
    .requiredOption('--files <json>', 'a list of {fileName, input}: JSON, @file or - for standard input')
    .option('--max-retries <n>', 'how often a file may be continued, 1-10 (default: 3)', numberOf('--max-retries'))
    .option('--test', 'a free test run, as those that a BUBBLE_ADMIN starts in the console or over HTTP')
    .action(async (options: StartOptions) => {
      const principal = { ...principalOf(options), testRun: options.test === true }
      const start = {
        templateId: commandIdOf(options.template, 'template'),
        files: filesOf(await readJson('--files', options.files)),
        ...(options.maxRetries === undefined ? {} : { maxRetryCount: retryCountOf(options.maxRetries) }),
      }
      await printAnswer(deps, options, async bus => {
        const run = await bus.runs.initiate(principal, start)
        return [
          run,
          `Run ${run.id} is ${run.status}: ${counted(run.totalJobs, 'file')} ${run.testRun ? 'as a free test run' : `for ${counted(run.creditsConsumed, 'credit')}`}.`,
        ]
      })
    })

  asPrincipal(runs.command('show').description('show a run and its files'))
    .argument('<id>', 'the id of the run')
    .action(async (given: string, options: PrincipalOptions) => {
      const id = commandIdOf(given, 'id')
      await printAnswer(deps, options, async bus => {
        const run = await bus.runs.get(principalOf(options), id)
        return [run, details(run)]
      })
    })

  addRunsReplay(runs, deps)

  asPrincipal(runs.command('list').description('list runs, newest first'))
    .option('--status <status>', runStatuses.join(', '))
    .option('--limit <n>', 'how many, 1-500 (default: 100)', numberOf('--limit'))
    .option('--cursor <cursor>', 'continue after the previous page')
    .option(...allPages)
    .action(async (options: ListOptions) => {
      const filter = {
        ...(options.status === undefined ? {} : { status: runStatusOf(options.status.toUpperCase()) }),
        ...pagingOf(options),
      }
      await printPage(
        deps,
        options,
        (bus, from) => bus.runs.list(principalOf(options), { ...filter, ...from }),
        columns,
        'No runs.',
      )
    })

  asPrincipal(runs.command('continue').description('retry the failed files of a run'))
    .argument('<id>', 'the id of the run')
    .option('--preview', 'say what it would retry and cost, and do nothing')
    .action(async (given: string, options: PrincipalOptions & { readonly preview?: true }) => {
      const id = commandIdOf(given, 'id')
      await printAnswer(deps, options, async bus => {
        if (options.preview) {
          const preview = await bus.runs.previewRetry(principalOf(options), id)
          return [preview, previewText(preview)]
        }
        const run = await bus.runs.retryFailed(principalOf(options), id)
        return [run, `Run ${id} is ${run.status}: round ${run.round}, ${counted(run.roundJobs, 'file')}.`]
      })
    })

  asPrincipal(runs.command('cancel').description('cancel a run; files that no worker is processing are refunded'))
    .argument('<id>', 'the id of the run')
    .option('--reason <text>', 'why')
    .action(async (given: string, options: PrincipalOptions & { readonly reason?: string }) => {
      const id = commandIdOf(given, 'id')
      const reason = options.reason === undefined ? {} : { reason: textOf(options.reason, 'reason') }
      await printAnswer(deps, options, async bus => {
        const run = await bus.runs.cancel(principalOf(options), id, reason)
        return [run, `Run ${id} is ${run.status}.`]
      })
    })
}

interface TemplateOptions extends PrincipalOptions {
  readonly price?: number
  readonly name?: string
  readonly batch?: true
}

const addTemplates = (runs: Command, deps: CliDeps): void => {
  const templates = runs.command('templates').description('the templates of runs: a name and the price per file')

  asPrincipal(templates.command('create').description('create a template'))
    .argument('<name>', 'its name')
    .requiredOption('--price <credits>', 'the price of a file, from 0', numberOf('--price'))
    .option('--batch', 'all files of a run are one job')
    .action(async (name: string, options: TemplateOptions) => {
      const given = {
        name: templateNameOf(name),
        creditsPerRun: priceOf(options.price),
        batchMode: options.batch === true,
      }
      await printAnswer(deps, options, async bus => {
        const made = await bus.runs.createTemplate(principalOf(options), given)
        return [made, `Template ${made.id}: ${made.name}, ${counted(made.creditsPerRun, 'credit')} a file.`]
      })
    })

  asPrincipal(templates.command('edit').description('change a template; runs keep the price they began with'))
    .argument('<id>', 'the id of the template')
    .option('--name <name>', 'its new name')
    .option('--price <credits>', 'its new price', numberOf('--price'))
    .action(async (given: string, options: TemplateOptions) => {
      const id = commandIdOf(given, 'id')
      const change = {
        ...(options.name === undefined ? {} : { name: templateNameOf(options.name) }),
        ...(options.price === undefined ? {} : { creditsPerRun: priceOf(options.price) }),
      }
      await printAnswer(deps, options, async bus => {
        const edited = await bus.runs.editTemplate(principalOf(options), id, change)
        return [edited, `Template ${id}: ${edited.name}, ${counted(edited.creditsPerRun, 'credit')} a file.`]
      })
    })

  asPrincipal(templates.command('archive').description('allow no new runs of a template'))
    .argument('<id>', 'the id of the template')
    .action(async (given: string, options: PrincipalOptions) => {
      const id = commandIdOf(given, 'id')
      await printAnswer(deps, options, async bus => {
        const archived = await bus.runs.archiveTemplate(principalOf(options), id)
        return [archived, `Template ${id} is archived.`]
      })
    })

  asPrincipal(templates.command('list').description('list templates, newest first')).action(
    async (options: PrincipalOptions) => {
      await printPage(
        deps,
        options,
        bus => bus.runs.listTemplates(principalOf(options)),
        templateColumns,
        'No templates.',
      )
    },
  )
}

const templateColumns: readonly Column<WorkflowTemplate>[] = [
  { title: 'TEMPLATE', value: template => template.id },
  { title: 'NAME', value: template => template.name, flexible: true },
  { title: 'PRICE', value: template => String(template.creditsPerRun) },
  { title: 'BATCH', value: template => (template.batchMode ? 'yes' : '') },
  { title: 'TENANT', value: template => template.tenantId },
  timeColumn('ARCHIVED', template => template.archivedAt),
]

const columns: readonly Column<WorkflowRun>[] = [
  { title: 'RUN', value: run => run.id },
  { title: 'TENANT', value: run => run.tenantId },
  { title: 'TEMPLATE', value: run => run.templateName, flexible: true },
  { title: 'STATUS', value: run => run.status },
  { title: 'FILES', value: run => String(run.totalJobs) },
  { title: 'ROUND', value: run => String(run.round) },
  { title: 'CREDITS', value: run => String(run.creditsConsumed) },
  timeColumn('CREATED', run => run.createdAt),
]

const fileColumns: readonly Column<PerFileResult>[] = [
  { title: 'FILE', value: file => String(file.index) },
  { title: 'NAME', value: file => file.fileName, flexible: true },
  { title: 'STATUS', value: file => file.status },
  { title: 'RETRIES', value: file => String(file.retryAttempt) },
  { title: 'ERROR', value: file => file.errorMessage, flexible: true },
]

const details = (run: WorkflowRun): string =>
  [
    fields([
      ['Run', run.id],
      ['Tenant', run.tenantId],
      ['Template', run.templateName],
      ['Status', run.status],
      ['Round', `${run.round}: ${run.completedJobs} completed, ${run.failedJobs} failed, of ${run.roundJobs}`],
      ['Credits', `${run.creditsConsumed} (monthly ${run.creditsFromMonthly}, purchased ${run.creditsFromPurchased})`],
      ['Test run', run.testRun ? 'yes' : ''],
      ['Started by', run.startedBy],
      ['Created', when(run.createdAt)],
      ['Ended', when(run.endedAt)],
    ]),
    table(run.perFileResults, fileColumns),
  ].join('\n\n')

const previewText = (preview: RetryPreview): string =>
  preview.message ??
  `It would retry ${counted(preview.files, 'file')} for ${preview.creditsNeeded} of ${counted(preview.creditsAvailable, 'credit')}.`
