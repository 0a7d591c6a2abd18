import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'
import { api as declared } from '../../../src/contract/index.ts'
import type { Route } from '../../../src/contract/route.ts'
import { sharedTestApi } from '../../support/http.ts'
import { allRoutes } from './table.ts'

const shared = sharedTestApi()

interface Operation {
  readonly operationId: string
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly requestBody?: { readonly required: boolean; readonly content: object }
  readonly responses: Record<string, { readonly content: object; readonly headers?: object }>
}
interface Page {
  readonly openapi: string
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly schemas: Record<string, object> }
}

const page = async (): Promise<Page> => (await shared().request('GET', '//openapi.json')).body
const operationOf = async ({ path, method }: Route): Promise<Operation> => {
  const { paths } = await page()
  const operation = paths[`/api/v1${path.replace(/:(\w+)/g, '{$1}')}`]?.[method.toLowerCase()]
  if (operation === undefined) throw new Error(`${method} ${path} is not described`)
  return operation
}

test('the description is OpenAPI 3.1', async () => {
  const validator = new Validator()
  const result = await validator.validate({ ...(await page()) })
  expect(result).toEqual({ valid: true })
  expect([validator.version, (await page()).openapi]).toEqual(['3.1', '3.1.0'])
})

test('the check finds errors in a description', async () => {
  const wrong = { ...(await page()), paths: { commands: {} } }
  expect((await new Validator().validate(wrong)).valid).toBe(false)
})

test('it describes every route and no others', async () => {
  const { paths } = await page()
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map(method => `${method.toUpperCase()} ${path}`),
  )
  const known = allRoutes.map(([, { is }]) => is.replace(' ', ' /api/v1').replace(/:(\w+)/g, '{$1}'))
  expect(described.sort()).toEqual([...known, 'GET /api/v1/events'].sort())
  const ids = Object.values(paths).flatMap(operations =>
    Object.values(operations).map(({ operationId }) => operationId),
  )
  expect(new Set(ids)).toEqual(new Set([...Object.keys(declared), 'streamEvents']))
})

describe.each(allRoutes)('%s', (id, { is, query, requiredQuery = {}, succeeds, body, unknown, eachIsOptional }) => {
  const route: Route = declared[id]

  test('is described with its parameters', async () => {
    const { parameters } = await operationOf(route)
    const inPath = [...is.matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: 'path', required: true }))
    const inQuery = query.map(name => ({ name, in: 'query', required: name in requiredQuery }))
    expect(parameters.map(({ name, in: place, required }) => ({ name, in: place, required }))).toEqual(
      expect.arrayContaining([...inPath, ...inQuery]),
    )
    expect(parameters).toHaveLength(inPath.length + inQuery.length)
  })

  test('is described with its body and all its answers', async () => {
    const { requestBody, responses } = await operationOf(route)
    expect(requestBody === undefined).toBe(body === undefined)
    if (requestBody !== undefined) {
      expect(Object.keys(requestBody.content)).toEqual(['application/json'])
      expect(requestBody.required).toBe(eachIsOptional !== true && Object.keys(body as object).length > 0)
    }
    const problems = ['400', '401', '403', '503', ...(unknown.endsWith('NOT_FOUND') ? ['404'] : [])]
    if (!is.startsWith('GET')) problems.push('429')
    if (requestBody !== undefined) problems.push('413', '415')
    expect(Object.keys(responses)).toEqual(expect.arrayContaining([String(succeeds), ...problems]))
    for (const [status, { content }] of Object.entries(responses)) {
      const type = status === String(succeeds) ? 'application/json' : 'application/problem+json'
      expect(Object.keys(content)).toEqual([type])
    }
  })
})

test('the page for people shows every route, and loads nothing from other servers', async () => {
  const { status, body, headers } = await shared().request('GET', '//docs')
  expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  for (const [id, { is }] of allRoutes) {
    const [method, path = ''] = is.split(' ')
    expect(body).toContain(
      `<code>${method} /api/v1${path.replace(/:(\w+)/g, '{$1}')}</code> ${declared[id].summary.replaceAll('"', '&quot;')}`,
    )
  }
  expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(body).not.toMatch(/<script|https?:\/\//)
})
