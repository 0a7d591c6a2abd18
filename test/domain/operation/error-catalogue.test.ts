import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { maskSecrets } from '../../../src/application/shared/mask-secrets.ts'
import { errorCodes, errorMessage, errorText } from '../../../src/domain/operation/error-catalogue.ts'

const SENTENCE = /^[A-Z][^?!]*\.$/

/** Codes of the catalogue, unknown codes, and codes that a careless handler makes from a secret. */
const secret = fc
  .string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789'), minLength: 12, maxLength: 30 })
  .chain(text =>
    fc.constantFrom(`sk-Zq7${text}`, `Bearer Zq7${text}`, `api_key=Zq7${text}`, `postgres://u:Zq7${text}@db/x`),
  )
const code = fc.oneof(
  fc.constantFrom(...errorCodes),
  fc.constantFrom('', '__proto__', 'constructor', 'toString', 'timeout'),
  fc.string(),
  secret,
)

describe('B2: the text of an error', () => {
  test.each([...errorCodes, 'SOMETHING_NEW'])('%s splits into what happened and what to do', code => {
    const parts = errorMessage(code).split('What to do:')
    expect(parts).toHaveLength(2)
    expect(parts.map(part => part.trim())).toEqual([errorText(code).message, errorText(code).whatToDo])
    for (const part of parts) expect(part.trim()).toMatch(SENTENCE)
  })

  test('exists for any code, and splits in two', () => {
    fc.assert(
      fc.property(code, any => {
        const parts = errorMessage(any).split('What to do:')
        expect(parts).toHaveLength(2)
        for (const part of parts) expect(part.trim()).toMatch(SENTENCE)
      }),
    )
  })

  test('is a general one for an unknown code', () => {
    fc.assert(
      fc.property(
        fc.string().filter(any => !errorCodes.includes(any)),
        any => {
          expect(errorText(any)).toBe(errorText('SOMETHING_NEW'))
        },
      ),
    )
  })

  test('B10: holds no secret, whatever the code is', () => {
    fc.assert(
      fc.property(code, any => {
        const message = errorMessage(any)
        expect(message).not.toContain('Zq7')
        expect(maskSecrets(message)).toBe(message)
      }),
    )
  })
})

describe('B1: the catalogue', () => {
  test('treats timeouts, lost connections and the service’s own errors as transient, and no others', () => {
    const passing = errorCodes.filter(code => errorText(code).transient)
    expect(passing).toEqual(['TIMEOUT', 'CONNECTION_FAILED', 'SERVER_ERROR', 'LEASE_LOST', 'RATE_LIMITED_SHORTLY'])
  })

  test('advises to retry only where that can help', () => {
    for (const code of errorCodes) {
      const { transient, whatToDo } = errorText(code)
      if (transient) expect(whatToDo).toContain('click Retry')
    }
    expect(errorText('REFUSED').whatToDo).not.toContain('click Retry')
    expect(errorText('INVALID_PAYLOAD').whatToDo).not.toContain('Retry')
  })
})
