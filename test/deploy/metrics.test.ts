import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { createTestBus } from '../support/bus.ts'
import { useProgram } from '../support/servers/cli.ts'
import { eventually, startService } from '../support/servers/service.ts'
import { alertTests } from './alert-tests.ts'
import { type Document, documentOf, pathOf, runTool, textOf, tool } from './files.ts'

const program = useProgram()
const RULES = 'deploy/prometheus/commandbus.rules.yml'
const DASHBOARD = 'deploy/grafana/dashboards/commandbus.json'
const promtool = tool('promtool')

interface Query {
  readonly of: string
  readonly expr: string
}
let queries: readonly Query[]
let rules: readonly Document[]
let dashboard: Document

beforeAll(async () => {
  rules = (await documentOf(RULES)).groups.flatMap((group: Document) => group.rules)
  dashboard = JSON.parse(await textOf(DASHBOARD))
  queries = [
    ...rules.map(({ alert, expr }) => ({ of: alert, expr })),
    ...dashboard.panels.flatMap(({ title, targets = [] }: Document) =>
      targets.map(({ expr }: Document) => ({ of: `panel ${title}`, expr })),
    ),
  ].map(({ of, expr }) => ({
    of,
    expr: expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(domain|type|queue)\b/g, '.*'),
  }))
})

/** Names and labels of a page of metrics; a name without samples has no labels. */
const namesOf = (page: string): ReadonlyMap<string, ReadonlySet<string>> => {
  const names = new Map<string, Set<string>>()
  for (const [, name = '', kind] of page.matchAll(/^# TYPE (\w+) (\w+)$/gm))
    for (const end of kind === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) names.set(name + end, new Set())
  for (const [, name = '', labels = ''] of page.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm))
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) names.get(name)?.add(label)
  return names
}

/** Prometheus adds these to all that it scrapes. */
const ADDED = ['job', 'instance']

test('K9: every metric and label of dashboard and alert rules is in a scrape of the running service, and its probes answer', async () => {
  const { database } = await createTestBus()
  // no replica, and looked at as one
  const service = await startService(program, { DATABASE_URL: database.url, DATABASE_READ_URL: database.url })
  // a worker reports its metrics to its service every two seconds
  const page = await eventually(
    async () =>
      (await fetch(`${service.url}/metrics`, { headers: { authorization: `Bearer ${service.token}` } })).text(),
    text =>
      /^commandbus_handler_duration_seconds_count\{.*outcome="completed".*$/m.test(text) && /slots_busy\{/.test(text),
  )
  // which the probes of the manifests ask
  for (const path of ['/health/live', '/health/ready']) expect((await fetch(`${service.url}${path}`)).status).toBe(200)
  service.signal('SIGTERM')
  await service.ended
  const names = namesOf(page)
  const wrong = queries.flatMap(({ of, expr }) => {
    const code = expr.replaceAll(/"[^"]*"/g, '""')
    const used = [...code.matchAll(/\b(?:commandbus|process|nodejs)_\w+/g)].map(([name]) => name)
    const unknown = used.filter(name => !names.has(name))
    const known = new Set([...ADDED, ...used.flatMap(name => [...(names.get(name) ?? [])])])
    const grouped = [...code.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/))
    const selected = [...code.matchAll(/\{([^}]*)\}/g)].flatMap(([, list = '']) =>
      [...list.matchAll(/(\w+)\s*[=!]/g)].map(([, label = '']) => label),
    )
    // where a metric has no sample now, its labels are not known
    const hasSamples = used.every(name => (names.get(name)?.size ?? 0) > 0)
    const labels = hasSamples ? [...grouped, ...selected].filter(label => !known.has(label)) : []
    return used.length === 0 && !code.includes('up{')
      ? [[of, 'no metric']]
      : [...unknown, ...labels].map(name => [of, name])
  })
  expect(wrong).toEqual([])
  expect(queries.length).toBeGreaterThan(45)
})

describe('the alert rules', () => {
  test('K9: each has a severity, a sentence and a thing to do, with commands that exist', async () => {
    const { stdout } = await program.run(['--help'])
    const commands = new Set([...stdout.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name))
    expect(commands).toContain('verify')
    for (const { alert, labels, annotations } of rules) {
      expect([alert, labels.severity]).toEqual([alert, expect.stringMatching(/^(critical|warning)$/)])
      expect([alert, Object.keys(annotations)]).toEqual([alert, ['summary', 'action']])
      for (const [, command] of annotations.action.matchAll(/commandbus ([a-z]+)/g))
        expect([alert, command, commands.has(command)]).toEqual([alert, command, true])
    }
  })

  test.skipIf(promtool === undefined)(
    'K9: promtool reads them, and the queries of the dashboard (skipped without promtool)',
    async () => {
      const place = await mkdtemp(join(tmpdir(), 'commandbus-rules-'))
      const file = join(place, 'dashboard.json')
      const records = queries.map(({ expr }, i) => ({ record: `query_${i}`, expr }))
      await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: records }] }))
      try {
        for (const [name, count] of [
          [pathOf(RULES), rules.length],
          [file, records.length],
        ] as const)
          expect(await runTool(promtool ?? '', ['check', 'rules', name])).toContain(`${count} rules found`)
        expect(
          await runTool(promtool ?? '', [
            'check',
            'config',
            '--syntax-only',
            pathOf('deploy/prometheus/prometheus.yml'),
          ]),
        ).toContain('SUCCESS')
      } finally {
        await rm(place, { recursive: true })
      }
    },
  )

  test.skipIf(promtool === undefined)(
    'K9: all fire when all is wrong, and none when all is well (skipped without promtool)',
    async () => {
      const place = await mkdtemp(join(tmpdir(), 'commandbus-rules-'))
      const file = join(place, 'tests.json')
      await writeFile(
        file,
        JSON.stringify(
          alertTests(
            pathOf(RULES),
            rules.map(({ alert }) => alert),
          ),
        ),
      )
      try {
        expect(await runTool(promtool ?? '', ['test', 'rules', file])).toContain('SUCCESS')
      } finally {
        await rm(place, { recursive: true })
      }
    },
  )
})

describe('the dashboard', () => {
  test('K9: every panel has a data source that can be chosen, a place of its own and an explanation', () => {
    const panels: readonly Document[] = dashboard.panels
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const taken = new Set<string>()
    for (const { type, title, description, datasource, gridPos, targets } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, x, y, x < 24 && !taken.has(`${x} ${y}`)]).toEqual([title, x, y, true])
          taken.add(`${x} ${y}`)
        }
      if (type === 'row') continue
      expect(description).toMatch(/\.$/)
      for (const { uid } of [datasource, ...targets.map((target: Document) => target.datasource)])
        expect(uid).toMatch(/^\$\{datasource\}$/)
    }
    const variables = dashboard.templating.list.map(({ name }: Document) => name)
    expect(variables).toEqual(['datasource', 'domain', 'type', 'queue'])
  })
})
