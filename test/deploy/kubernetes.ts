import type { Document } from './files.ts'

/** Names of members; with `!`, they are required. A shape in place of `true` says what the member holds. */
interface Shape {
  readonly [member: string]: true | Shape | readonly [Shape]
}

const labels = true
const metadata: Shape = { 'name!': true, labels, namespace: true, annotations: true }
const selector: Shape = { matchLabels: true, matchExpressions: [{ 'key!': true, 'operator!': true, values: true }] }
const secretKey: Shape = { 'name!': true, 'key!': true, optional: true }
const probe: Shape = {
  'httpGet!': { 'path!': true, 'port!': true, scheme: true },
  periodSeconds: true,
  timeoutSeconds: true,
  failureThreshold: true,
  initialDelaySeconds: true,
}
const container: Shape = {
  'name!': true,
  'image!': true,
  command: true,
  args: true,
  env: [{ 'name!': true, value: true, valueFrom: { secretKeyRef: secretKey, configMapKeyRef: secretKey } }],
  envFrom: [{ configMapRef: { 'name!': true }, secretRef: { 'name!': true } }],
  ports: [{ name: true, 'containerPort!': true, protocol: true }],
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  'resources!': { 'requests!': { 'cpu!': true, 'memory!': true }, 'limits!': { 'memory!': true, cpu: true } },
  'securityContext!': {
    'allowPrivilegeEscalation!': true,
    'readOnlyRootFilesystem!': true,
    'capabilities!': { 'drop!': true },
  },
  volumeMounts: [{ 'name!': true, 'mountPath!': true, readOnly: true }],
}
const template: Shape = {
  'metadata!': { 'labels!': true },
  'spec!': {
    'containers!': [container],
    restartPolicy: true,
    automountServiceAccountToken: true,
    terminationGracePeriodSeconds: true,
    'securityContext!': { 'runAsNonRoot!': true, runAsUser: true, fsGroup: true, seccompProfile: { 'type!': true } },
    volumes: [{ 'name!': true, emptyDir: true, secret: true, configMap: true }],
  },
}
const policies: Shape = {
  stabilizationWindowSeconds: true,
  policies: [{ 'type!': true, 'value!': true, 'periodSeconds!': true }],
}

/** What is used here of each kind, with the version of its API; what an API requires is required. */
const kinds: Readonly<Record<string, readonly [apiVersion: string, spec: Shape]>> = {
  ConfigMap: ['v1', { 'data!': true }],
  Service: [
    'v1',
    { 'spec!': { 'selector!': true, 'ports!': [{ name: true, 'port!': true, targetPort: true }], type: true } },
  ],
  Deployment: [
    'apps/v1',
    { 'spec!': { replicas: true, 'selector!': selector, 'template!': template, strategy: true } },
  ],
  Job: ['batch/v1', { 'spec!': { backoffLimit: true, ttlSecondsAfterFinished: true, 'template!': template } }],
  PodDisruptionBudget: ['policy/v1', { 'spec!': { minAvailable: true, maxUnavailable: true, 'selector!': selector } }],
  TriggerAuthentication: [
    'keda.sh/v1alpha1',
    { 'spec!': { secretTargetRef: [{ 'parameter!': true, 'name!': true, 'key!': true }] } },
  ],
  ScaledObject: [
    'keda.sh/v1alpha1',
    {
      'spec!': {
        'scaleTargetRef!': { 'name!': true, kind: true, apiVersion: true },
        pollingInterval: true,
        cooldownPeriod: true,
        minReplicaCount: true,
        maxReplicaCount: true,
        advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleUp: policies, scaleDown: policies } } },
        'triggers!': [
          {
            'type!': true,
            metricType: true,
            authenticationRef: { 'name!': true },
            'metadata!': { 'query!': true, 'targetQueryValue!': true, activationTargetQueryValue: true },
          },
        ],
      },
    },
  ],
  PodMonitor: [
    'monitoring.coreos.com/v1',
    {
      'spec!': {
        'selector!': selector,
        'podMetricsEndpoints!': [{ 'port!': true, path: true, interval: true, relabelings: true }],
      },
    },
  ],
}

/** What is wrong with a manifest: members that are missing, not known, or no text where Kubernetes wants one. */
export const faultsOf = (manifest: Document): readonly string[] => {
  const [apiVersion, parts] = kinds[manifest.kind] ?? ['no kind that is used here', {}]
  const texts = Object.entries<unknown>({ ...manifest.data, ...manifest.metadata?.labels })
  return [
    ...(manifest.apiVersion === apiVersion ? [] : [`apiVersion must be ${apiVersion}`]),
    ...texts.flatMap(([name, value]) => (typeof value === 'string' ? [] : [`${name} must be a text`])),
    ...inside(manifest, { 'apiVersion!': true, 'kind!': true, 'metadata!': metadata, ...parts }, ''),
  ]
}

const inside = (value: Document, shape: Shape, path: string): readonly string[] => {
  const names = Object.keys(shape).map(name => name.replace('!', ''))
  const missing = Object.keys(shape)
    .filter(name => name.endsWith('!') && value?.[name.slice(0, -1)] === undefined)
    .map(name => `${path}${name.slice(0, -1)} is missing`)
  const unknown = Object.keys(value ?? {})
    .filter(name => !names.includes(name))
    .map(name => `${path}${name} is not known`)
  const deeper = Object.entries(shape).flatMap(([name, of]) => {
    const member = name.replace('!', '')
    const found = value?.[member]
    if (of === true || found === undefined) return []
    if (!Array.isArray(of)) return inside(found, of as Shape, `${path}${member}.`)
    return (found as readonly Document[]).flatMap((one, i) => inside(one, of[0], `${path}${member}[${i}].`))
  })
  return [...missing, ...unknown, ...deeper]
}
