import type { FastifyInstance } from 'fastify'
import { openApi } from './openapi.ts'

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly parameters: readonly {
    readonly name: string
    readonly in: string
    readonly required: boolean
    readonly schema: object
  }[]
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: object } } }
  readonly responses: Record<
    string,
    { readonly description: string; readonly content: Record<string, { readonly schema: object }> }
  >
}

/** `/openapi.json` for programs, `/docs` for people: both from the routes' declaration. */
export const addDocs = (app: FastifyInstance, version: string): void => {
  const description = openApi(version)
  const page = render(description as { readonly paths: Record<string, Record<string, Operation>> })
  app.get('/openapi.json', (_, reply) => reply.type('application/json; charset=utf-8').send(description))
  app.get('/docs', (_, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
      .send(page),
  )
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const asHtml = (text: string): string => text.replace(/[&<>"]/g, character => escapes[character] ?? '')
const asJson = (value: object): string => asHtml(JSON.stringify(value, null, 2))

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733; }
  details { border: 1px solid #d5dce4; border-radius: 6px; margin: .5rem 0; padding: .5rem .75rem; }
  summary { cursor: pointer; } summary code { font-weight: 600; } h3 { font-size: 1rem; margin: .75rem 0 .25rem; }
  pre { background: #f2f4f7; padding: .75rem; border-radius: 6px; overflow-x: auto; font-size: .85rem; }
  td, th { text-align: left; padding: .15rem 1rem .15rem 0; vertical-align: top; }
  @media (prefers-color-scheme: dark) { body { background: #12181f; color: #dde5ee; } pre { background: #1c2530; }
    details { border-color: #33404d; } a { color: #8ec2ff; } }`

const render = ({ paths }: { readonly paths: Record<string, Record<string, Operation>> }): string => {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))]
  const section = (tag: string): string =>
    `<h2>${asHtml(tag)}</h2>${operations
      .filter(({ operation }) => operation.tags.includes(tag))
      .map(({ path, method, operation }) => entry(method, path, operation))
      .join('')}`
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>commandbus: HTTP API</title><style>${style}</style></head><body><h1>commandbus: HTTP API</h1>
<p>Send a token as <code>Authorization: Bearer &lt;token&gt;</code>; <code>commandbus token</code> makes one. Errors are
<code>application/problem+json</code>. For programs: <a href="/openapi.json">/openapi.json</a>.
At the root, without a token: <a href="/health/live">/health/live</a> and <a href="/health/ready">/health/ready</a>. The reasons of the
latter, and <code>/metrics</code>, need AUDITOR, OPERATOR or ADMIN and a token without a tenant.</p>${tags.map(section).join('')}</body></html>`
}

const entry = (method: string, path: string, { summary, parameters, requestBody, responses }: Operation): string => {
  const given = parameters
    .map(
      ({ name, in: place, required, schema }) =>
        `<tr><td><code>${asHtml(name)}</code></td><td>${place}${required ? '' : ', optional'}</td><td><code>${asHtml(JSON.stringify(schema))}</code></td></tr>`,
    )
    .join('')
  const body =
    requestBody === undefined ? '' : `<h3>Body</h3><pre>${asJson(requestBody.content['application/json'].schema)}</pre>`
  const answers = Object.entries(responses)
    .map(([status, { description, content }]) => {
      const schema = content['application/json']?.schema
      return `<h3>${status} ${asHtml(description)}</h3>${schema === undefined ? '' : `<pre>${asJson(schema)}</pre>`}`
    })
    .join('')
  return `<details><summary><code>${method} ${asHtml(path)}</code> ${asHtml(summary)}</summary>
${given === '' ? '' : `<h3>Parameters</h3><table>${given}</table>`}${body}${answers}</details>`
}
