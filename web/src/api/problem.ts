import { ApiProblem } from './client.ts'
import { NoAnswerError } from './fetch.ts'

/** No response: the server or the connection to it is down, or hangs. */
export const isOffline = (error: unknown): boolean => error instanceof TypeError || error instanceof NoAnswerError

export const statusOf = (error: unknown): number | null => (error instanceof ApiProblem ? error.status : null)

/** What went wrong, for people, in one sentence or two. */
export const explain = (error: unknown): string => {
  if (isOffline(error)) return 'The server does not answer. This page may be out of date; it keeps reloading its data.'
  if (!(error instanceof ApiProblem)) return error instanceof Error ? error.message : 'Something went wrong.'
  switch (error.status) {
    case 401:
      return 'Your token is no longer valid. Sign in again.'
    case 403:
      return `Your token does not allow this: ${error.detail}.`
    case 429:
      return `Too many requests: ${error.detail}.`
    case 503:
      return `The server is not ready: ${error.detail}.`
    default:
      return error.status >= 500 ? `The server failed: ${error.detail}.` : sentence(error.detail)
  }
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** May pass by itself, so another try makes sense. */
export const isPassing = (error: unknown): boolean => {
  const status = statusOf(error)
  return isOffline(error) || status === 503 || status === 429 || (status !== null && status >= 500)
}
