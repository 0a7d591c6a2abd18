import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { errorCodes, errorMessage, errorText } from '../../src/domain/operation/error-catalogue.ts'

test('B2: docs/operations.md shows the text of every code', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/operations.md'), 'utf8')
  const rows = [...page.matchAll(/^\| ([A-Z_]+|any other) \| (.* What to do: .*) \| (.*) \|$/gm)].map(row =>
    row.slice(1),
  )
  expect(rows).toEqual([
    ...errorCodes.map(code => [code, errorMessage(code), errorText(code).transient ? 'yes' : 'no']),
    ['any other', errorMessage('SOMETHING_NEW'), 'as the handler said'],
  ])
})
