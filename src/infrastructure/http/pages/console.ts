import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, posix, sep } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

interface ConsoleFile {
  readonly type: string
  readonly etag: string
  readonly cacheControl: string
  /** The body in an encoding; made at the first request. */
  readonly body: (encoding: Encoding) => Promise<Buffer>
}

type Encoding = 'br' | 'gzip' | 'identity'

/** The built console, by path (`/index.html`, `/assets/...`). Kept in memory, so that no path outside it can be read. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.md': 'text/plain; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
}

const INDEX = '/index.html'
/** Names under here carry a hash of their content. */
const HASHED = '/assets/'
/** Addresses of programs: an unknown one there gets a problem, not the page. */
const RESERVED = /^\/(api|health|metrics|docs|openapi\.json|assets)(\/|$)/
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Reads the built console; null where it was not built. */
export const readConsole = async (directory: string): Promise<ConsoleFiles | null> => {
  const found = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = new Map<string, ConsoleFile>()
  for (const entry of found) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const path = `/${file
      .slice(directory.length + 1)
      .split(sep)
      .join(posix.sep)}`
    files.set(path, fileOf(path, await readFile(file)))
  }
  return files.has(INDEX) ? files : null
}

const fileOf = (path: string, content: Buffer): ConsoleFile => {
  const encoded = new Map<Encoding, Promise<Buffer>>()
  const encodeOnce = (encoding: Encoding): Promise<Buffer> => {
    const made = encoded.get(encoding) ?? encode(content, encoding)
    encoded.set(encoding, made)
    return made
  }
  return {
    type: types[extname(path)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`,
    cacheControl: path.startsWith(HASHED) ? 'public, max-age=31536000, immutable' : 'no-cache',
    body: encodeOnce,
  }
}

const encode = (content: Buffer, encoding: Encoding): Promise<Buffer> => {
  switch (encoding) {
    case 'br':
      return promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } })
    case 'gzip':
      return promisify(gzip)(content)
    case 'identity':
      return Promise.resolve(content)
  }
}

const encodingFor = (accepts: string | undefined): Encoding => {
  const names = (accepts ?? '').split(',').map(part => part.trim())
  const takes = (name: string): boolean => names.some(part => part === name || part.startsWith(`${name};q=0.`))
  return takes('br') ? 'br' : takes('gzip') ? 'gzip' : 'identity'
}

/** The console at `/`; its own addresses (`/commands/...`) get the page, addresses of programs do not. */
export const addConsole = (app: FastifyInstance, files: ConsoleFiles): void => {
  app.get('/*', async (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '/'
    const file = files.get(path)
    if (file !== undefined) return sendFile(request, reply, file)
    const page = files.get(INDEX)
    if (page === undefined || RESERVED.test(path) || !wantsPage(request, path)) return reply.callNotFound()
    return sendFile(request, reply, page)
  })
}

const wantsPage = (request: FastifyRequest, path: string): boolean =>
  path === '/' || /\btext\/html\b/.test(request.headers.accept ?? '')

const sendFile = async (request: FastifyRequest, reply: FastifyReply, file: ConsoleFile): Promise<FastifyReply> => {
  reply.header('cache-control', file.cacheControl).header('etag', file.etag).header('vary', 'accept-encoding')
  if (file.type.startsWith('text/html')) reply.header('content-security-policy', POLICY)
  if (request.headers['if-none-match'] === file.etag) return reply.code(304).send()
  const encoding = encodingFor(request.headers['accept-encoding'])
  if (encoding !== 'identity') reply.header('content-encoding', encoding)
  return reply.type(file.type).send(await file.body(encoding))
}
