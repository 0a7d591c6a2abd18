export type Severity = 'error' | 'warning' | 'info'

/** What a user reads about an error code. */
export interface ErrorText {
  readonly message: string
  readonly whatToDo: string
  readonly severity: Severity
  /** Tried again automatically before the user sees it. */
  readonly transient: boolean
}

const again = 'Wait a moment, then click Retry. Nothing you entered is lost.'

const texts: Readonly<Record<string, ErrorText>> = {
  TIMEOUT: {
    message: 'The AI service did not answer in time.',
    whatToDo: again,
    severity: 'error',
    transient: true,
  },
  CONNECTION_FAILED: {
    message: 'The AI service could not be reached.',
    whatToDo: again,
    severity: 'error',
    transient: true,
  },
  SERVER_ERROR: {
    message: 'The AI service had an internal error.',
    whatToDo: again,
    severity: 'error',
    transient: true,
  },
  LEASE_LOST: {
    message: 'The work on this operation stopped unexpectedly.',
    whatToDo: again,
    severity: 'error',
    transient: true,
  },
  ATTEMPT_ENDED: {
    message: 'The operation took too long, and an administrator ended it.',
    whatToDo: again,
    severity: 'warning',
    transient: false,
  },
  TAMPERED: {
    message: 'The operation was changed before it began, and was not carried out.',
    whatToDo: 'Tell an administrator which operation you started; nothing was done yet.',
    severity: 'error',
    transient: false,
  },
  RATE_LIMITED_SHORTLY: {
    message: 'The AI service asked us to slow down.',
    whatToDo: again,
    severity: 'warning',
    transient: true,
  },
  RATE_LIMITED: {
    message: 'The AI service takes no more requests for now.',
    whatToDo: 'Wait a few minutes, then click Retry.',
    severity: 'warning',
    transient: false,
  },
  UNAUTHORIZED: {
    message: 'The AI service refused our credentials.',
    whatToDo: 'Ask an administrator to check the API key, then click Retry.',
    severity: 'error',
    transient: false,
  },
  PAYMENT_REQUIRED: {
    message: 'The account at the AI service has no credit left.',
    whatToDo: 'Ask an administrator to top it up, then click Retry.',
    severity: 'error',
    transient: false,
  },
  REFUSED: {
    message: 'The AI service refused this request.',
    whatToDo: 'Change what you asked for and start again; retrying the same will be refused again.',
    severity: 'error',
    transient: false,
  },
  UNREADABLE_ANSWER: {
    message: 'The AI service gave an answer that we could not read.',
    whatToDo: 'Click Retry. If it happens again, change what you asked for.',
    severity: 'error',
    transient: false,
  },
  NO_HANDLER: {
    message: 'Nothing here knows how to do this kind of operation.',
    whatToDo: 'Tell an administrator which operation you started.',
    severity: 'error',
    transient: false,
  },
  INVALID_PAYLOAD: {
    message: 'The operation was started with something that does not fit it.',
    whatToDo: 'Check what you entered and start a new operation.',
    severity: 'error',
    transient: false,
  },
}

const general: ErrorText = {
  message: 'The operation failed for an unknown reason.',
  whatToDo: 'Click Retry. If it fails again, tell an administrator the time and what you did.',
  severity: 'error',
  transient: false,
}

export const errorCodes: readonly string[] = Object.keys(texts)

/** The text for a code; a general one for an unknown code. */
export const errorText = (code: string): ErrorText => (Object.hasOwn(texts, code) ? (texts[code] ?? general) : general)

/** What happened, then `What to do:` and the next step. */
export const errorMessage = (code: string): string => {
  const { message, whatToDo } = errorText(code)
  return `${message} What to do: ${whatToDo}`
}
