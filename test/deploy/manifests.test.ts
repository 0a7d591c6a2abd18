import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/infrastructure/settings/config.ts'
import { createTestBus } from '../support/bus.ts'
import { lineOf, useProgram } from '../support/servers/cli.ts'
import { eventually } from '../support/servers/service.ts'
import { type Document, documentOf, documentsOf, pathOf, runTool, textOf, tool } from './files.ts'
import { faultsOf } from './kubernetes.ts'

const program = useProgram()
const FILES = ['config', 'migrate', 'service', 'worker', 'keda/scaledobject', 'monitoring/podmonitor'].map(
  name => `deploy/kubernetes/${name}.yaml`,
)
const kubectl = tool('kubectl')

const manifests = async (): Promise<readonly Document[]> => (await Promise.all(FILES.map(documentsOf))).flat()
const ofKind = async (...kinds: readonly string[]): Promise<readonly Document[]> =>
  (await manifests()).filter(({ kind }) => kinds.includes(kind))
const podsOf = async (): Promise<readonly Document[]> =>
  (await ofKind('Deployment', 'Job')).map(({ spec }) => spec.template)
const containersOf = async (): Promise<readonly Document[]> => (await podsOf()).flatMap(({ spec }) => spec.containers)

/** The variables that a container gets. */
const variablesOf = async ({ env = [], envFrom = [] }: Document): Promise<Readonly<Record<string, string>>> => {
  const [config] = await ofKind('ConfigMap')
  const given = envFrom.some(({ configMapRef }: Document) => configMapRef?.name === config.metadata.name)
  const own = env.map(({ name, value = SECRETS[name] }: Document) => [name, value])
  const secrets = envFrom.some(({ secretRef }: Document) => secretRef !== undefined) ? SECRETS : {}
  return { ...(given ? config.data : {}), ...secrets, ...Object.fromEntries(own) }
}

/** As the comment in config.yaml makes them. */
const SECRETS: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgres://app:secret@postgres:5432/app',
  COMMANDBUS_JWT_SECRET: 'a'.repeat(64),
  COMMANDBUS_PROOF_KEY: 'A'.repeat(43),
}

test('K9: every manifest has the fields that Kubernetes, KEDA and the Prometheus operator ask for, and no others', async () => {
  const all = await manifests()
  expect(all.map(({ kind }) => kind).sort()).toEqual([
    'ConfigMap',
    'Deployment',
    'Deployment',
    'Job',
    'PodDisruptionBudget',
    'PodMonitor',
    'ScaledObject',
    'Service',
    'TriggerAuthentication',
  ])
  expect(all.flatMap(one => faultsOf(one).map(fault => `${one.kind} ${one.metadata?.name}: ${fault}`))).toEqual([])
  // the check itself: a name that is written wrongly, and one that is missing
  const [deployment] = await ofKind('Deployment')
  const { selector, ...spec } = deployment.spec
  expect(selector).toBeDefined()
  expect(faultsOf({ ...deployment, spec: { ...spec, replica: 2 } })).toEqual([
    'spec.selector is missing',
    'spec.replica is not known',
  ])
})

test('K9: selectors, ports, references and volumes of the manifests lead to something', async () => {
  const names = new Set((await manifests()).map(({ kind, metadata }) => `${kind} ${metadata.name}`))
  const pods = await podsOf()
  const matches = (selector: Document): readonly Document[] =>
    pods.filter(({ metadata }) => Object.entries(selector).every(([name, value]) => metadata.labels[name] === value))
  for (const { kind, spec, metadata } of await ofKind('Deployment', 'Service', 'PodDisruptionBudget', 'PodMonitor')) {
    const selected = matches(spec.selector.matchLabels ?? spec.selector)
    expect([kind, metadata.name, selected.length > 0]).toEqual([kind, metadata.name, true])
    if (kind === 'Deployment') expect(selected).toEqual([spec.template])
    if (kind !== 'Service') continue
    const ports = selected.flatMap(pod => pod.spec.containers[0].ports.map(({ name }: Document) => name))
    for (const { targetPort } of spec.ports) expect(ports).toContain(targetPort)
  }
  for (const { spec } of pods) {
    const volumes = (spec.volumes ?? []).map(({ name }: Document) => name)
    for (const { ports = [], volumeMounts = [], startupProbe, livenessProbe, readinessProbe } of spec.containers) {
      for (const { name } of volumeMounts) expect(volumes).toContain(name)
      for (const probe of [startupProbe, livenessProbe, readinessProbe].filter(one => one !== undefined))
        expect(ports.map(({ name }: Document) => name)).toContain(probe.httpGet.port)
    }
  }
  const [scaled] = await ofKind('ScaledObject')
  expect(names).toContain(`Deployment ${scaled.spec.scaleTargetRef.name}`)
  for (const { authenticationRef } of scaled.spec.triggers)
    expect(names).toContain(`TriggerAuthentication ${authenticationRef.name}`)
})

test('K9: the program accepts the variables and flags of the manifests, and listens where the probes ask', async () => {
  const { help } = await helpOf()
  const page = await textOf('docs/configuration.md')
  for (const container of await containersOf()) {
    const variables = await variablesOf(container)
    const config = readConfig(variables)
    expect(config.databaseUrl).toBe(SECRETS.DATABASE_URL)
    const named = new Set(container.ports?.map(({ containerPort }: Document) => containerPort))
    if (container.ports !== undefined)
      expect(named).toEqual(new Set([config.port, config.metricsPort].filter(port => port !== undefined)))
    const [command = '', ...args] = container.args as readonly string[]
    const known = await help(command)
    for (const flag of args.filter(arg => arg.startsWith('--'))) expect(known).toContain(flag)
    for (const name of Object.keys(variables)) expect(page).toMatch(new RegExp(`^[|].*\\b${name}\\b.*[|]$`, 'm'))
  }
})

const helpOf = async () => {
  const { stdout: main } = await program.run(['--help'])
  return { help: async (command: string) => main + (await program.run([command, '--help'])).stdout }
}

test('K9: the probes of a worker answer, and a stop fits into the grace period', async () => {
  const { database } = await createTestBus()
  const worker = program.launch(['worker', '--demo', '--domain', 'demo', '--port', '0'], {
    env: { DATABASE_URL: database.url },
  })
  const line = await lineOf(worker, 'stdout', text => text.startsWith('Working'))
  const [, own = ''] = /at (http:\S+)\. /.exec(line) ?? []
  const probes = (await containersOf()).flatMap(({ startupProbe, livenessProbe, readinessProbe }) =>
    [startupProbe, livenessProbe, readinessProbe].flatMap(probe => probe?.httpGet.path ?? []),
  )
  expect(new Set(probes)).toEqual(new Set(['/health/live', '/health/ready']))
  for (const path of new Set(probes)) {
    const answered = await eventually(
      async () => (await fetch(`${own}${path}`)).status,
      status => status === 200,
    )
    expect([path, answered]).toEqual([path, 200])
  }
  worker.kill('SIGTERM')
  for (const { spec } of (await ofKind('Deployment')).map(({ spec: { template } }) => template)) {
    const { args } = spec.containers[0]
    const deadline = args.includes('--deadline') ? Number(args[args.indexOf('--deadline') + 1]) : 30
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(deadline + 5)
  }
})

test('K9: the query of the autoscaler sees how long a command that could begin has waited, and no others', async () => {
  const [scaled] = await ofKind('ScaledObject')
  const [{ metadata }] = scaled.spec.triggers
  const { bus, pool } = await createTestBus()
  const age = async (): Promise<number> => Number(Object.values((await pool.query(metadata.query)).rows[0])[0])
  await bus.send('payments', 'Later', {}, { delaySeconds: 600 })
  expect(await age()).toBe(0)
  await bus.send('payments', 'Charge', {})
  expect(await eventually(age, seconds => seconds > 0)).toBeLessThan(60)
  const { pauseId } = await bus.pause({ domain: 'payments', reason: 'a test' })
  expect(await age()).toBe(0)
  await bus.resume(pauseId)
  expect(await age()).toBeGreaterThan(0)
  // the workers of the ScaledObject are those of the domain whose queue it looks at
  const target = (await ofKind('Deployment')).find(one => one.metadata.name === scaled.spec.scaleTargetRef.name)
  const { args } = target.spec.template.spec.containers[0]
  expect(metadata.query).toContain(`pgmq.q_${args[args.indexOf('--domain') + 1]}__commands`)
})

test.skipIf(kubectl === undefined)(
  'K9: kubectl builds the folder of the manifests (skipped without kubectl)',
  async () => {
    const built = await runTool(kubectl ?? '', ['kustomize', pathOf('deploy/kubernetes')])
    expect(built.match(/^kind: \w+$/gm)?.sort()).toEqual(
      ['ConfigMap', 'Deployment', 'Deployment', 'Job', 'PodDisruptionBudget', 'Service'].map(kind => `kind: ${kind}`),
    )
    expect(built.match(/image: \S+/g)).toEqual(expect.arrayContaining(['image: registry.example.com/commandbus:0.1.0']))
  },
)

test('K9: the services of compose start Prometheus and Grafana with these files', async () => {
  const { services, volumes } = await documentOf('docker-compose.yml')
  expect(Object.keys(services)).toEqual(['postgres', 'commandbus', 'worker', 'eventstoredb', 'prometheus', 'grafana'])
  const mounts: readonly string[] = Object.values<Document>(services).flatMap(({ volumes: list = [] }) => list)
  for (const mount of mounts) {
    const [from = ''] = mount.split(':')
    if (from.startsWith('.')) expect(existsSync(pathOf(from))).toBe(true)
    else expect(Object.keys(volumes)).toContain(from)
  }
  for (const { depends_on: needs = {} } of Object.values<Document>(services))
    for (const name of Array.isArray(needs) ? needs : Object.keys(needs)) expect(services).toHaveProperty(name)
  // who is scraped listens there
  const { scrape_configs: jobs } = await documentOf('deploy/prometheus/prometheus.yml')
  for (const { static_configs: groups } of jobs)
    for (const target of groups.flatMap(({ targets }: Document) => targets)) {
      const [name, port] = target.split(':')
      const { PORT, COMMANDBUS_METRICS_PORT = PORT } = services[name].environment
      expect([target, port]).toEqual([target, COMMANDBUS_METRICS_PORT])
    }
  const { datasources } = await documentOf('deploy/grafana/provisioning/datasources/prometheus.yml')
  expect(datasources[0].url).toBe('http://prometheus:9090')
  const { providers } = await documentOf('deploy/grafana/provisioning/dashboards/commandbus.yml')
  expect(mounts).toContain(`./deploy/grafana/dashboards:${providers[0].options.path}:ro`)
})
