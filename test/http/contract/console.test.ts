import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type ConsoleFiles, readConsole } from '../../../src/infrastructure/http/pages/console.ts'
import { type SharedApi, sharedTestApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'

const page = '<!doctype html><title>console</title>'
const script = `console.log(${JSON.stringify('x'.repeat(2_000))})`
const root = await mkdtemp(join(tmpdir(), 'commandbus-console-'))

const build = async (): Promise<ConsoleFiles | null> => {
  const built = join(root, 'web')
  await mkdir(join(built, 'assets'), { recursive: true })
  await writeFile(join(root, 'secret.txt'), 'a secret')
  await writeFile(join(built, 'index.html'), page)
  await writeFile(join(built, 'favicon.svg'), '<svg/>')
  await writeFile(join(built, 'assets', 'index-abc.js'), script)
  await symlink(join(root, 'secret.txt'), join(built, 'link.txt'))
  return readConsole(built)
}

const withConsole = sharedTestApi({ console: await build() })
const without = sharedTestApi()
afterAll(() => rm(root, { recursive: true, force: true }))

const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const get = (api: SharedApi, path: string, headers: Record<string, string> = {}) =>
  api.request('GET', `/${path}`, { headers })

describe('a service with a console', () => {
  test('serves it at / to anybody, with a policy that allows no inline script and no other origin', async () => {
    const answer = await get(withConsole(), '/')
    expect([answer.status, answer.body]).toEqual([200, page])
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = answer.headers.get('content-security-policy') ?? ''
    for (const part of ["default-src 'none'", "script-src 'self';", "connect-src 'self';", "frame-ancestors 'none'"]) {
      expect(policy).toContain(part)
    }
    expect(policy).not.toContain('unsafe')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })

  test("serves the page at the console's own addresses", async () => {
    const api = withConsole()
    for (const path of ['/commands', '/commands/demo/1?status=FAILED', '/troubleshooting/actions/1', '/apis']) {
      expect((await get(api, path, html)).body, path).toBe(page)
    }
  })

  test('answers wrong addresses of the API with a problem, also to a browser', async () => {
    const api = withConsole()
    const reserved = ['/api', '/api/v1/nothing', '/health', '/metrics', '/docs/x', '/openapi.json/x', '/assets/none.js']
    for (const path of reserved) expectProblem(await get(api, path, html), 404, 'NOT_FOUND')
    for (const path of ['/commands', '/robots.txt']) expectProblem(await get(api, path), 404, 'NOT_FOUND')
    expectProblem(await api.request('POST', '//commands', { headers: html, body: {} }), 404, 'NOT_FOUND')
  })

  test('serves no files outside its folder', async () => {
    const api = withConsole()
    for (const path of ['/../secret.txt', '/%2e%2e/secret.txt', '/assets/..%2f..%2fsecret.txt', '/link.txt']) {
      expect(String((await get(api, path)).body?.detail), path).toMatch(/nothing at/)
    }
  })

  test('lets browsers cache files with a hash in their name, but not the page', async () => {
    const api = withConsole()
    const asset = await get(api, '/assets/index-abc.js')
    expect([asset.body, asset.headers.get('content-type')]).toEqual([script, 'text/javascript; charset=utf-8'])
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    const first = await get(api, '/')
    expect(first.headers.get('cache-control')).toBe('no-cache')
    const etag = first.headers.get('etag') ?? ''
    expect((await get(api, '/', { 'if-none-match': etag })).status).toBe(304)
    expect((await get(api, '/', { 'if-none-match': '"other"' })).status).toBe(200)
  })

  test.each([
    ['br, gzip', 'br'],
    ['gzip', 'gzip'],
    ['identity', null],
    ['br;q=0', null],
  ])('compresses for a browser that takes %s', async (accepts, encoding) => {
    const api = withConsole()
    const answer = await get(api, '/assets/index-abc.js', { 'accept-encoding': accepts })
    expect(answer.headers.get('content-encoding')).toBe(encoding)
    // fetch undoes the encoding
    expect(answer.body).toBe(script)
    expect(answer.headers.get('vary')).toBe('accept-encoding')
  })
})

test('without a built console a plain page says what runs and how to build the console', async () => {
  expect(await readConsole(join(root, 'nowhere'))).toBe(null)
  const answer = await get(without(), '/')
  expect(answer.body).toMatch(/commandbus[\s\S]*npm run build/)
})
