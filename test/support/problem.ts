import { STATUS_CODES } from 'node:http'
import { expect } from 'vitest'
import type { Answer } from './http.ts'

/** Expects this problem, with every member that problems have and no others. */
export const expectProblem = (answer: Answer, status: number, code: string, detail?: RegExp | string): void => {
  expect([answer.status, answer.body?.code, answer.body?.detail]).toEqual([status, code, expect.any(String)])
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  const { errors, changes, ...members } = answer.body
  expect(Array.isArray(changes)).toBe(code === 'PLAN_CHANGED')
  expect(members).toEqual({
    type: 'about:blank',
    title: STATUS_CODES[status],
    status,
    code,
    detail: expect.any(String),
    instance: expect.stringMatching(/^\/|^$|^\*$/),
  })
  if (errors !== undefined) {
    expect(errors.length).toBeGreaterThan(0)
    for (const fault of errors) expect(fault).toEqual({ path: expect.any(String), message: expect.any(String) })
  }
  if (detail !== undefined) expect(answer.body.detail).toMatch(detail)
  if (status === 503) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  if (status === 401) expect(answer.headers.get('www-authenticate')).toBe('Bearer')
}

/** Expects a 400 that names these places. */
export const expectFaults = (answer: Answer, ...paths: readonly string[]): void => {
  expectProblem(answer, 400, 'INVALID_REQUEST')
  expect(answer.body.errors?.map((fault: { readonly path: string }) => fault.path)).toEqual(paths)
}
