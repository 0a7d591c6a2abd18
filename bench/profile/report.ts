import { align, decimals } from '../report.ts'
import type { Spent } from './cpu.ts'
import type { Profile } from './measure.ts'
import type { Facts, Statement, WalRecord } from './server.ts'

const shown = { functions: 25, folders: 15, statements: 25, walRecords: 10 } as const

type Cells = readonly string[]

const sum = <Row>(rows: readonly Row[], of: (row: Row) => number): number =>
  rows.reduce((total, row) => total + of(row), 0)

const map = <From, To>(facts: Facts<From>, to: (row: From) => To): Facts<To> =>
  'missing' in facts ? facts : { rows: facts.rows.map(to) }

/** A profile as figures of one command. */
const perCommand = ({ work, commands, rate, file, cpu, server }: Profile) => {
  const each = (total: number) => total / commands
  const all = sum([...cpu.engine, ...cpu.functions], ({ us }) => us)
  const idle = cpu.engine.find(({ name }) => name === 'idle')?.us ?? 0
  const share = ({ name, where, us }: Spent) => ({ us: each(us), percent: (us / all) * 100, name, where })
  const { statements, walRecords } = server
  const records = 'missing' in walRecords ? [] : walRecords.rows
  const commits = records.find(({ type }) => type === 'Transaction/COMMIT')?.count
  return {
    work,
    commands,
    rate,
    us: 1_000_000 / rate,
    commits,
    commandsPerCommit: commits === undefined ? undefined : commands / commits,
    walBytes: each(server.walBytes),
    cpuProfile: file,
    node: {
      busyUs: each(all - idle),
      engine: cpu.engine.map(share),
      functions: cpu.functions.map(share),
      folders: cpu.folders.map(share),
    },
    statements: map(statements, (row: Statement) => ({
      ...row,
      executingUs: each(row.executingUs),
      planningUs: each(row.planningUs),
      walBytes: each(row.walBytes),
    })),
    walRecords: map(walRecords, (row: WalRecord) => ({
      ...row,
      bytes: each(row.bytes),
      pageBytes: each(row.pageBytes),
    })),
  }
}

type PerCommand = ReturnType<typeof perCommand>

/** The first rows, and what the others come to, so that nothing is left out silently. */
const top = <Row>(
  rows: readonly Row[],
  count: number,
  cells: (row: Row) => Cells,
  others: (rows: readonly Row[]) => Cells,
): readonly Cells[] => {
  const left = rows.slice(count)
  return [...rows.slice(0, count).map(cells), ...(left.length > 0 ? [others(left)] : [])]
}

type NodeRow = PerCommand['node']['functions'][number]

const nodeTable = (first: Cells, engine: readonly NodeRow[], rows: readonly NodeRow[], count: number): string => {
  const cells = ({ us, percent, name, where }: NodeRow) => [us.toFixed(1), percent.toFixed(1), name, where]
  const others = (left: readonly NodeRow[]) => [
    sum(left, ({ us }) => us).toFixed(1),
    sum(left, ({ percent }) => percent).toFixed(1),
    `${left.length} others`,
  ]
  return align([first, ...engine.map(cells), ...top(rows, count, cells, others)], column => column >= 2)
}

type StatementRow = Extract<PerCommand['statements'], { readonly rows: unknown }>['rows'][number]

const statementTable = (rows: readonly StatementRow[]): string => {
  const cells = (row: StatementRow) => [
    String(row.calls),
    row.executingUs.toFixed(1),
    row.planningUs.toFixed(1),
    row.meanMs.toFixed(3),
    String(row.rows),
    row.walBytes.toFixed(0),
    row.nested ? 'nested' : 'top',
    row.text,
  ]
  const totals = (name: string) => (some: readonly StatementRow[]) => [
    String(sum(some, row => row.calls)),
    sum(some, row => row.executingUs).toFixed(1),
    sum(some, row => row.planningUs).toFixed(1),
    '',
    String(sum(some, row => row.rows)),
    sum(some, row => row.walBytes).toFixed(0),
    '',
    name,
  ]
  const head = [
    'calls',
    'executing us/command',
    'planning',
    'mean ms',
    'rows',
    'WAL bytes/command',
    'level',
    'statement',
  ]
  const lines = top(rows, shown.statements, cells, left => totals(`${left.length} others`)(left))
  return align([head, ...lines, totals('all at the top')(rows.filter(({ nested }) => !nested))], column => column >= 6)
}

const recordTable = (rows: readonly WalRecord[]): string => {
  const cells = ({ bytes, pageBytes, count, type }: WalRecord) => [
    bytes.toFixed(0),
    pageBytes.toFixed(0),
    String(count),
    type,
  ]
  const others = (left: readonly WalRecord[]) =>
    cells({
      bytes: sum(left, row => row.bytes),
      pageBytes: sum(left, row => row.pageBytes),
      count: sum(left, row => row.count),
      type: `${left.length} others`,
    })
  const head = ['bytes/command', 'full pages', 'records', 'type']
  return align([head, ...top(rows, shown.walRecords, cells, others)], column => column === 3)
}

const part = <Row>(title: string, facts: Facts<Row>, lines: (rows: readonly Row[]) => string): string =>
  'missing' in facts ? `${title}: not available, the server says: ${facts.missing}` : `${title}\n${lines(facts.rows)}`

const whole = (value: number): string => Math.round(value).toLocaleString('en-US')

export const profileTable = (profile: Profile): string => {
  const figures = perCommand(profile)
  const { work, commands, rate, us, commits, commandsPerCommit, walBytes, cpuProfile, node } = figures
  const perCommit =
    commits === undefined || commandsPerCommit === undefined
      ? 'commits not available'
      : `${commandsPerCommit.toFixed(1)} commands a commit (${whole(commits)} commits)`
  return [
    `== ${work}: ${whole(commands)} commands, ${whole(rate)} a second while profiled: ${us.toFixed(1)} us a command`,
    `WAL ${whole(walBytes)} bytes a command, ${perCommit}`,
    `Node busy ${node.busyUs.toFixed(1)} us a command; ${cpuProfile} opens in a browser's developer tools`,
    '',
    'Node by function, its own time',
    nodeTable(['us/command', '%', 'function', 'where'], node.engine, node.functions, shown.functions),
    '',
    'Node by folder and package',
    nodeTable(['us/command', '%', 'folder'], node.engine, node.folders, shown.folders),
    '',
    part(
      'PostgreSQL by statement; the time of a function has that of its nested statements in it',
      figures.statements,
      statementTable,
    ),
    '',
    part('PostgreSQL by record of the write-ahead log', figures.walRecords, recordTable),
  ].join('\n')
}

export const profileJson = (profiles: readonly Profile[]): string =>
  JSON.stringify({ results: profiles.map(perCommand) }, (_, value) =>
    typeof value === 'number' ? decimals(value, 3) : value,
  )
