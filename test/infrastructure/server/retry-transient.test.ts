import { expect, test } from 'vitest'
import { isInDoubt, isUndone } from '../../../src/infrastructure/postgres/connection/errors.ts'
import { retryTransient } from '../../../src/infrastructure/postgres/transactions/retry-transient.ts'

const failing = (code: string) => {
  let tries = 0
  const work = async () => {
    tries++
    throw Object.assign(new Error('no'), { code })
  }
  return { work, tries: () => tries }
}

test('work whose connection broke is tried again at least once, and not after its time limit', async () => {
  const broken = failing('ECONNRESET')
  await expect(retryTransient(broken.work, 0)).rejects.toThrow('no')
  expect(broken.tries()).toBe(2)
})

test('a permanent error is not tried again', async () => {
  const refused = failing('23505')
  await expect(retryTransient(refused.work)).rejects.toThrow('no')
  expect(refused.tries()).toBe(1)
})

test('R11: when a try broke and the next finds no connection, the error still says that the work may have been done', async () => {
  const errors = [
    Object.assign(new Error('cut'), { code: 'ECONNRESET' }),
    new Error('timeout exceeded when trying to connect'),
  ]
  const work = async () => {
    throw errors.shift()
  }
  await expect(retryTransient(work)).rejects.toThrow('cut')
})

test('R11: it also says so when all later tries were rolled back because of other transactions', async () => {
  let tries = 0
  const work = async () => {
    throw Object.assign(new Error(tries++ === 0 ? 'cut' : 'undone'), { code: tries === 1 ? 'ECONNRESET' : '40001' })
  }
  await expect(retryTransient(work, 0)).rejects.toThrow('cut')
  expect(tries).toBe(2)
})

test('R11: work that never reached the server is not in doubt; work that broke once is, also if the server cannot be reached later', async () => {
  const last = async (...codes: string[]): Promise<unknown> => {
    const work = async () => {
      throw Object.assign(new Error('no'), { code: codes.shift() })
    }
    return retryTransient(work, 0).catch(error => error)
  }
  expect(isInDoubt(await last('ECONNREFUSED', 'ENOTFOUND'))).toBe(false)
  expect(isInDoubt(await last('ECONNRESET', 'ECONNREFUSED'))).toBe(true)
  expect(isInDoubt(await last('ECONNREFUSED', 'ECONNRESET'))).toBe(true)
})

test('R12: refused work was not done, unless an earlier try may have been committed', async () => {
  const refused = (): Error => Object.assign(new Error('too large'), { severity: 'ERROR', code: '54000' })
  const broken = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  const ends = async (...errors: readonly Error[]): Promise<unknown> => {
    let tries = 0
    return retryTransient(async () => {
      throw errors[Math.min(tries++, errors.length - 1)]
    }, 0).catch((error: unknown) => error)
  }
  expect(isUndone(await ends(refused()))).toBe(true)
  expect(isUndone(await ends(broken(), refused()))).toBe(false)
  expect(isUndone(await ends(broken()))).toBe(false)
  expect(isUndone(new Error('no answer in time'))).toBe(false)
})
