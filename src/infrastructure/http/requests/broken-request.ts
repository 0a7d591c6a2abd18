import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { problem, problemText } from './problem.ts'

/** What arrived is not HTTP, too large or too slow: there is no request to answer, only a socket. */
export const answerBrokenRequest = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const [status, code, detail] = faultOf(error.code)
  const body = problemText(status, code, detail, '')
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n${body}`,
    )
  }
  socket.destroySoon()
}

const faultOf = (code: string | undefined): readonly [status: number, code: string, detail: string] => {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, 'REQUEST_TIMEOUT', 'the request did not arrive in time']
    case 'HPE_HEADER_OVERFLOW':
      return [431, 'HEADERS_TOO_LARGE', 'the headers of this request are too large']
    default:
      return [400, 'INVALID_REQUEST', 'this is not a valid HTTP request']
  }
}

/** An address that cannot be read, or a part of it that is too long. */
export const answerBadAddress = (error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void => {
  reply.header('x-content-type-options', 'nosniff')
  if (error.statusCode === 414) problem(reply, 414, 'INVALID_REQUEST', 'a part of the address is too long')
  else problem(reply, 400, 'INVALID_REQUEST', 'the address is not valid: its percent-encoding cannot be read')
}
