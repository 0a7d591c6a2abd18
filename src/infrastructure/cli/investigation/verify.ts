import type { Command } from 'commander'
import type { Pool } from 'pg'
import { hideAt } from '../../../application/sensitive/hide.ts'
import type { SensitivePath } from '../../../application/sensitive/sensitive-paths.ts'
import { CommandBusError } from '../../../application/shared/errors.ts'
import { rebuildCommands } from '../../postgres/read-tables/rebuild.ts'
import { assertSchemaCurrent } from '../../postgres/schema/schema-version.ts'
import { createSensitivePaths } from '../../postgres/sensitive/sensitive-store.ts'
import { verifyFiles } from '../../proof/archive/archive-files.ts'
import type { Finding } from '../../proof/chain/finding.ts'
import { fingerprintOf, type Signer } from '../../proof/chain/keys.ts'
import { logName, sealEvents } from '../../proof/chain/seals.ts'
import { type Verified, verifyLog } from '../../proof/verification/verify.ts'
import { type VerifiedLanes, verifyLanes } from '../../proof/verification/verify-lanes.ts'
import { type VerifiedReplies, verifyReplies } from '../../proof/verification/verify-replies.ts'
import type { KnownSeal } from '../../proof/verification/verify-seals.ts'
import { withPool } from '../../service/database.ts'
import { readConfig } from '../../settings/config.ts'
import { keepSeal, keptSeal, signerIfAny, signerOf } from '../../settings/proof-home.ts'
import type { CliDeps } from '../support/deps.ts'
import { Refused, UsageError } from '../support/failure.ts'
import { again, numberOf } from '../support/input.ts'
import { withDatabase } from '../support/session.ts'
import { type Column, fields, print, printJson, table } from '../text/output.ts'
import { startProgress } from '../text/progress.ts'

interface Options {
  readonly repair?: true
  readonly archives?: string
  readonly trust?: readonly string[]
  readonly expect?: string
  readonly limit?: number
  readonly lanes?: true
  readonly replies?: true
  readonly json?: true
}

export const addVerify = (program: Command, deps: CliDeps): void => {
  program
    .command('verify')
    .description('check that nobody changed the log, and that rows and messages match it')
    .option('--repair', 'rebuild rows that differ from the log; the bus keeps running')
    .option('--archives <dir>', 'also verify the files that `archive` wrote there')
    .option('--lanes', 'also verify that commands of a lane began in order, and never more at once than its width')
    .option('--replies', 'also verify that every sender has one reply, or is listed as waiting for it')
    .option('--trust <fingerprint>', 'another key that may have signed seals, besides that of this home', again)
    .option('--expect <number:hash>', 'a seal that you kept elsewhere, which must still be in the log')
    .option('--limit <n>', 'list at most so many findings of each kind (default: 1000)', numberOf('--limit'))
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const config = readConfig(deps.env)
      const expected = options.expect === undefined ? [] : [sealOf(options.expect)]
      const {
        verified: found,
        repaired,
        sensitive,
      } = await withDatabase(config, database =>
        withPool(database, async pool => {
          await assertSchemaCurrent(pool)
          // on the user's own server, only a home that has a key already seals: a second key would look like an intruder's
          const signer = database.kind === 'embedded' ? await signerOf(config) : await signerIfAny(config)
          if (signer !== null) await sealEvents(pool, { signer })
          const kept = await keptSeal(config.home, await logName(pool))
          const verify = () => verifyAll(pool, [...(kept === null ? [] : [kept]), ...expected], signer, options)
          const hiddenPaths = async () => (deps.reveal?.() === true ? [] : createSensitivePaths(pool).known())
          const first = await verify()
          if (!options.repair || !first.findings.some(({ kind }) => kind === 'row'))
            return { verified: first, repaired: false, sensitive: await hiddenPaths() }
          refuseDamaged(first)
          await rebuildCommands({ pool })
          return { verified: await verify(), repaired: true, sensitive: await hiddenPaths() }
        }),
      )
      const verified = { ...found, findings: found.findings.map(finding => hidden(finding, sensitive)) }
      if (options.json) printJson({ ...verified, repaired })
      else print(reportText(verified, repaired))
      if (verified.findings.length > 0) throw new Refused('something does not fit')
      await keepSeal(config.home, verified.log, verified.head)
    })
}

/** Rows and messages may hold what is declared sensitive. */
const hidden = (finding: Finding, paths: readonly SensitivePath[]): Finding => {
  const path = finding.row?.key.path
  const at = typeof path === 'string' ? path.split('.') : []
  return { ...finding, expected: hideAt(finding.expected, at, paths), found: hideAt(finding.found, at, paths) }
}

interface Report extends Verified {
  /** With `--lanes`. */
  readonly lanes?: ReturnType<typeof countsOf>
  /** With `--replies`. */
  readonly replies?: Omit<VerifiedReplies, 'findings'>
}

const countsOf = ({ events, begun }: VerifiedLanes) => ({ events, begun })

const verifyAll = async (
  pool: Pool,
  known: readonly KnownSeal[],
  signer: Signer | null,
  options: Options,
): Promise<Report> => {
  const own = signer === null ? [] : [fingerprintOf(signer.key)]
  const progress = startProgress('events', LONG)
  try {
    const verified = await verifyLog(pool, {
      trusted: [...own, ...(options.trust ?? [])],
      known,
      onProgress: ({ events, total }) => progress.to(events, total),
      ...(options.limit === undefined ? {} : { limit: options.limit }),
    })
    const files = options.archives === undefined ? [] : await verifyFiles(pool, options.archives)
    const limit = options.limit === undefined ? {} : { limit: options.limit }
    const lanes = options.lanes === undefined ? null : await verifyLanes(pool, limit)
    const { findings: ofReplies = [], ...replies } =
      options.replies === undefined ? {} : await verifyReplies(pool, limit)
    return {
      ...verified,
      findings: [...verified.findings, ...files, ...(lanes?.findings ?? []), ...ofReplies],
      ...(lanes === null ? {} : { lanes: countsOf(lanes) }),
      ...('owed' in replies ? { replies } : {}),
    }
  } finally {
    progress.end()
  }
}

/** For each kind of which not all are listed. */
const kindsOf = ({ findings, counts }: Verified): string =>
  Object.entries(counts)
    .map(([kind, count]) => ({ kind, count, listed: findings.filter(one => one.kind === kind).length }))
    .filter(({ count, listed }) => count > listed)
    .map(
      ({ kind, count, listed }) =>
        ` Of the kind ${kind}, ${listed.toLocaleString('en-US')} of ${count.toLocaleString('en-US')} are listed.`,
    )
    .join('')

/** Enough for a bar; the first page says how many there are. */
const LONG = 1_000

const sealOf = (text: string): KnownSeal => {
  const [, number, hash] = /^(\d{1,18}):([0-9a-f]{64})$/.exec(text.trim()) ?? []
  if (number === undefined || hash === undefined) {
    throw new UsageError('--expect must be a seal as `verify` prints it: its number, a colon and its hash')
  }
  return { number, hash }
}

/** Rows rebuilt from a log that was tampered with would hide that. */
const refuseDamaged = ({ findings }: Verified): void => {
  const damaged = findings.find(({ kind }) => kind === 'event' || kind === 'seal')
  if (damaged === undefined) return
  throw new CommandBusError(
    'LOG_DAMAGED',
    `the rows are not rebuilt, because the log itself is damaged (${damaged.stream}: ${damaged.message}): ` +
      'check it with `commandbus verify`, and restore the log first',
  )
}

const columns: readonly Column<Finding>[] = [
  { title: 'WHAT', value: ({ kind }) => kind },
  { title: 'WHERE', value: ({ stream }) => stream },
  { title: 'COLUMN', value: ({ column, revision }) => (revision === null ? column : `${revision}: ${column}`) },
  { title: 'EXPECTED', value: ({ expected }) => expected, flexible: true },
  { title: 'FOUND', value: ({ found }) => found, flexible: true },
  { title: 'WHY', value: ({ message }) => message, flexible: true },
]

const reportText = (verified: Report, repaired: boolean): string => {
  const { findings, head, unsealed, signedBy } = verified
  const counted = (n: number): string => n.toLocaleString('en-US')
  const signers = signedBy.map(({ key, seals }) => `${counted(seals)} by ${key ?? 'nobody'}`)
  return [
    ...(repaired ? ['The rows were rebuilt.', ''] : []),
    ...(findings.length === 0 ? [] : [table(findings, columns), '']),
    findings.length === 0
      ? 'No problems found.'
      : `Problems found: ${counted(findings.length)}${verified.truncated ? ' and more' : ''}.${kindsOf(verified)}`,
    '',
    fields([
      ['Log', verified.log],
      [
        'Verified',
        `${counted(verified.events)} events of ${counted(verified.streams)} streams, ${counted(verified.commands + verified.workflowRows)} rows, ${counted(verified.messages)} messages, ${counted(verified.seals)} seals`,
      ],
      ...(verified.lanes === undefined
        ? []
        : ([
            [
              'Lanes',
              `${counted(verified.lanes.begun)} begun commands of lanes, in ${counted(verified.lanes.events)} events`,
            ],
          ] as const)),
      ...(verified.replies === undefined
        ? []
        : ([
            [
              'Replies',
              `${counted(verified.replies.owed)} owed, ${counted(verified.replies.replies)} on queues or in archives, ${counted(verified.replies.duplicates)} duplicates`,
            ],
          ] as const)),
      ...(verified.strangers === 0
        ? []
        : ([
            ['Strangers', `${counted(verified.strangers)} messages that belong to no command; they are harmless`],
          ] as const)),
      ['Signed', signers.join(', ')],
      ['Not sealed yet', `${counted(unsealed)} events`],
      ['Last seal', `${head.number}:${head.hash}`],
      ['', 'keep this line elsewhere: with it, `verify --expect` detects a log that was cut or rewritten'],
    ]),
  ].join('\n')
}
