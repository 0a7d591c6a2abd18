import type * as t from 'io-ts'
import { addedSchemaOf, innerOf, type JsonSchema, schemaOf } from '../../../contract/codecs.ts'
import { EVENTS_PATH, EVENTS_SUMMARY, eventsQuery } from '../../../contract/events.ts'
import { api } from '../../../contract/index.ts'
import { BASE_PATH, type ProblemCode, type Route, statusOfProblem } from '../../../contract/route.ts'
import { itemColumns } from '../../../contract/search/item-columns.ts'

/** The OpenAPI 3.1 description of every declared route. */
export const openApi = (version: string): object => {
  const paths: Record<string, Record<string, object>> = {}
  for (const [operationId, route] of Object.entries(api) as [string, Route][]) {
    const path = `${BASE_PATH}${route.path.replace(/:(\w+)/g, '{$1}')}`
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(operationId, route) }
  }
  paths[EVENTS_PATH] = { get: events() }
  return {
    openapi: '3.1.0',
    info: {
      title: 'commandbus',
      version,
      description: 'An event-sourced command bus on PostgreSQL and pgmq.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: { Problem: problemSchema },
    },
  }
}

const operation = (operationId: string, route: Route): object => ({
  operationId,
  summary: route.summary,
  tags: [route.tag],
  parameters: [...parameters('path', route.params), ...parameters('query', route.query)],
  ...(route.body === null
    ? {}
    : {
        requestBody: {
          required: required(route.body).length > 0,
          content: { 'application/json': { schema: jsonSchema(route.body) } },
        },
      }),
  responses: {
    [route.success.status]: {
      // not as a second content, from which generators of clients make a union
      description: itemColumns(route) === null ? 'Done' : 'Done; with `accept: text/csv` the same items as CSV',
      ...(route.success.location !== undefined
        ? { headers: { location: { description: 'Its address', schema: { type: 'string' } } } }
        : {}),
      content: { 'application/json': { schema: jsonSchema(route.success.body) } },
    },
    ...problems(route),
  },
})

const always: readonly ProblemCode[] = [
  'INVALID_REQUEST',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'RATE_LIMITED',
  'UNAVAILABLE',
]
const ofBodies: readonly ProblemCode[] = ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE']

const problems = (route: Route): object =>
  problemsOf([...always, ...(route.body === null ? [] : ofBodies), ...route.problems])

const problemsOf = (codes: readonly ProblemCode[]): object => {
  const byStatus = new Map<number, ProblemCode[]>()
  for (const code of codes) byStatus.set(statusOfProblem[code], [...(byStatus.get(statusOfProblem[code]) ?? []), code])
  return Object.fromEntries(
    [...byStatus].map(([status, named]) => [
      status,
      {
        description: named.join(', '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  )
}

const problemSchema: JsonSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'instance'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
      },
    },
    changes: {
      type: 'array',
      description: 'with PLAN_CHANGED: up to 20 of the commands that are different from the plan',
      items: {
        type: 'object',
        required: ['domain', 'commandId', 'change'],
        properties: {
          domain: { type: 'string' },
          commandId: { type: 'string' },
          change: { enum: ['added', 'gone', 'moved'] },
        },
      },
    },
    results: {
      type: 'array',
      description: 'with BATCH_FAILED: the outcome of each command, in the order of the request',
      items: {
        type: 'object',
        required: ['commandId', 'outcome', 'msgId'],
        properties: {
          commandId: { type: 'string' },
          outcome: { enum: ['accepted', 'duplicate', 'unknown', 'unsent'] },
          msgId: { type: ['string', 'null'] },
        },
      },
    },
  },
}

const parameters = (place: 'path' | 'query', codec: t.Mixed): readonly object[] => {
  const { properties = {} } = jsonSchema(codec) as { readonly properties?: Record<string, JsonSchema> }
  const needed = new Set(required(codec))
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    required: place === 'path' || needed.has(name),
    schema,
  }))
}

/** Not a declared route, because its response does not end. */
const events = (): object => ({
  operationId: 'streamEvents',
  summary: EVENTS_SUMMARY,
  tags: ['Figures'],
  parameters: [
    ...parameters('query', eventsQuery),
    { name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'string' } },
  ],
  responses: {
    200: { description: 'The stream', content: { 'text/event-stream': { schema: { type: 'string' } } } },
    ...problemsOf(always),
  },
})

const required = (codec: t.Mixed): readonly string[] =>
  (jsonSchema(codec) as { readonly required?: readonly string[] }).required ?? []

interface Tagged {
  readonly _tag?: string
  readonly props?: Record<string, t.Mixed>
  readonly types?: readonly t.Mixed[]
  readonly type?: t.Mixed
  readonly codomain?: t.Mixed
  readonly keys?: Record<string, unknown>
  readonly value?: unknown
}

/** The JSON Schema of an io-ts codec: the one it was described with, or one made from its parts. */
export const jsonSchema = (codec: t.Mixed): JsonSchema => {
  const own = schemaOf(codec)
  if (own !== undefined) return own
  const inner = innerOf(codec)
  if (inner !== undefined) return { ...jsonSchema(inner), ...addedSchemaOf(codec) }
  const tagged = codec as unknown as Tagged
  switch (tagged._tag) {
    case 'StringType':
      return { type: 'string' }
    case 'NumberType':
      return { type: 'number' }
    case 'BooleanType':
      return { type: 'boolean' }
    case 'NullType':
      return { type: 'null' }
    case 'ArrayType':
    case 'ReadonlyArrayType':
      return { type: 'array', items: jsonSchema(tagged.type as t.Mixed) }
    case 'DictionaryType':
      return { type: 'object', additionalProperties: jsonSchema(tagged.codomain as t.Mixed) }
    case 'KeyofType':
      return { type: 'string', enum: Object.keys(tagged.keys ?? {}) }
    case 'LiteralType':
      return { const: tagged.value }
    case 'InterfaceType':
      return object(tagged.props ?? {}, Object.keys(tagged.props ?? {}))
    case 'PartialType':
      return object(tagged.props ?? {}, [])
    case 'IntersectionType':
      return (tagged.types ?? []).map(jsonSchema).reduce(merged)
    case 'UnionType':
      return union((tagged.types ?? []).map(jsonSchema))
    default:
      throw new Error(`the codec '${codec.name}' has no JSON Schema: describe it`)
  }
}

const object = (props: Record<string, t.Mixed>, needed: readonly string[]): JsonSchema => ({
  type: 'object',
  properties: Object.fromEntries(Object.entries(props).map(([name, codec]) => [name, jsonSchema(codec)])),
  ...(needed.length === 0 ? {} : { required: needed }),
})

const merged = (a: JsonSchema, b: JsonSchema): JsonSchema => {
  const required = [...((a.required as string[] | undefined) ?? []), ...((b.required as string[] | undefined) ?? [])]
  return {
    type: 'object',
    properties: { ...(a.properties as object), ...(b.properties as object) },
    ...(required.length === 0 ? {} : { required }),
  }
}

/** A list of types (`[string, null]`) where that is enough, `anyOf` otherwise. */
const union = (schemas: readonly JsonSchema[]): JsonSchema => {
  const [one, other] = schemas
  const isNullable = schemas.length === 2 && other?.type === 'null' && typeof one?.type === 'string' && !('enum' in one)
  return isNullable ? { ...one, type: [one?.type, 'null'] } : { anyOf: schemas }
}
