import type { Pool } from '../../domain/credits/events.ts'
import { pools } from '../../domain/credits/events.ts'
import type { NewFile } from '../../domain/workflow-run/events.ts'
import { type RunStatus, runStatuses } from '../../domain/workflow-run/status.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { jsonOf, oneOf, textOf, wholeOf } from '../shared/input.ts'

export const MAX_FILES = 10_000
export const MAX_PRICE = 1_000_000
export const MAX_GRANT = 1_000_000_000
export const MAX_RETRY_COUNT = 10
export const DEFAULT_RETRY_COUNT = 3

/** The tenant of callers that have none and name none, as in an installation for one customer. */
export const DEFAULT_TENANT = 'default'

export const retryCountOf = (value: unknown): number => wholeOf(value, 'maxRetryCount', 1, MAX_RETRY_COUNT)
export const priceOf = (value: unknown): number => wholeOf(value, 'creditsPerRun', 0, MAX_PRICE)
export const amountOf = (value: unknown): number => wholeOf(value, 'amount', 1, MAX_GRANT)
export const tenantOf = (value: unknown): string => textOf(value, 'tenantId', 128)
export const templateNameOf = (value: unknown): string => textOf(value, 'name', 200)

export const poolOf = (value: unknown): Pool => oneOf(pools, value, 'pool')

export const runStatusOf = (value: unknown): RunStatus => oneOf(runStatuses, value, 'status')

/** At least one file, with a name and any JSON as its input; all inputs together at most 1 MiB. */
export const filesOf = (value: unknown): readonly NewFile[] => {
  if (!Array.isArray(value)) throw new InvalidInputError('files', 'must be a list')
  if (value.length === 0) throw new InvalidInputError('files', 'must name at least one file')
  if (value.length > MAX_FILES) {
    throw new InvalidInputError('files', `at most ${MAX_FILES} in one run, not ${value.length}; start several`)
  }
  const files = value.map((file: unknown, i): NewFile => {
    if (typeof file !== 'object' || file === null) throw new InvalidInputError(`files[${i}]`, 'must be an object')
    const { fileName, input } = file as { readonly fileName?: unknown; readonly input?: unknown }
    return {
      fileName: textOf(fileName, `files[${i}].fileName`, 500),
      input: jsonOf(input ?? null, `files[${i}].input`),
    }
  })
  jsonOf(files, 'files')
  return files
}
