import { cp, mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runInNewContext } from 'node:vm'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as ours from '../../../src/index.ts'
import { onlyPassingErrors } from '../../../src/infrastructure/worker/failures/passing-errors.ts'
import { createTestBus } from '../../support/bus.ts'
import { compiledSource } from '../../support/servers/compiled.ts'

type Package = typeof ours

let bundles = ''

beforeAll(async () => {
  bundles = await mkdtemp(join(dirname(compiledSource()), 'bundle-'))
})
afterAll(async () => rm(bundles, { recursive: true, force: true }))

const copies: Readonly<Record<string, () => Promise<Package>>> = {
  'another copy': async () => {
    const copy = join(bundles, 'copy')
    await cp(compiledSource(), copy, { recursive: true })
    return import(pathToFileURL(join(copy, 'index.js')).href)
  },
  'a minified bundle': async () => {
    const file = join(bundles, 'bundle.mjs')
    await build({
      configFile: false,
      logLevel: 'silent',
      build: {
        ssr: join(compiledSource(), 'index.js'),
        outDir: bundles,
        minify: true,
        rollupOptions: { output: { entryFileNames: 'bundle.mjs', codeSplitting: false } },
      },
    })
    return import(pathToFileURL(file).href)
  },
}

describe.each(Object.entries(copies))('with %s of the package in one process', (_, load) => {
  test('R4: its command errors have the same meaning as ours, also subclasses of the user', async () => {
    const theirs = await load()
    expect(theirs.PermanentCommandError).not.toBe(ours.PermanentCommandError)
    class CardBlocked extends theirs.PermanentCommandError {}
    const { bus, work, until, messages } = await createTestBus()
    const thrown: Readonly<Record<string, Error>> = {
      Permanent: new theirs.PermanentCommandError('CARD_EXPIRED', 'the card has expired'),
      Own: new CardBlocked('CARD_BLOCKED', 'the card is blocked'),
      Refused: new theirs.BusinessRuleError('TOO_MUCH', 'more than the limit', { limit: 5 }),
      Passing: new theirs.TransientCommandError('BUSY', 'the bank is busy', { later: true }),
    }
    const handle = ({ command }: { readonly command: { readonly commandType: string } }) => {
      throw thrown[command.commandType]
    }
    await work({ domain: 'payments', handlers: { '*': (_, context) => handle(context) } })
    const ends: Record<string, unknown> = {}
    for (const type of Object.keys(thrown)) {
      const { commandId } = await bus.send('payments', type, {}, { replyTo: 'replies', maxAttempts: 1 })
      const ended = await until(
        () => bus.getCommand('payments', commandId),
        c => c?.status === 'FAILED' || c?.status === 'IN_TROUBLESHOOTING_QUEUE',
      )
      ends[type] = [ended?.parkedReason, ended?.lastErrorType, ended?.lastErrorCode]
    }
    expect(ends).toEqual({
      Permanent: ['PERMANENT', 'PERMANENT', 'CARD_EXPIRED'],
      Own: ['PERMANENT', 'PERMANENT', 'CARD_BLOCKED'],
      Refused: [null, 'BUSINESS_RULE', 'TOO_MUCH'],
      Passing: ['EXHAUSTED', 'TRANSIENT', 'BUSY'],
    })
    const [reply] = await messages('replies')
    expect(reply?.message).toMatchObject({ outcome: 'FAILED', error: { code: 'TOO_MUCH', details: { limit: 5 } } })
  })

  test('R4: `instanceof` recognises the errors of every copy, each with its class', async () => {
    const theirs = await load()
    const classes = Object.entries(ours).filter(([name]) => name.endsWith('Error')) as [keyof Package, never][]
    expect(classes.length).toBeGreaterThan(15)
    for (const [name, own] of classes) {
      const error: unknown = Object.create((theirs[name] as unknown as new () => Error).prototype)
      expect(error, name).toBeInstanceOf(own)
      const others = classes.filter(([other, type]) => other !== name && error instanceof type)
      const isBase = name === 'CommandBusError' || /^(Transient|Permanent)Command|^BusinessRule/.test(name)
      expect(
        others.map(([other]) => other),
        name,
      ).toEqual(isBase ? [] : ['CommandBusError'])
    }
    class OfAUser extends ours.PermanentCommandError {}
    expect(new theirs.PermanentCommandError('a', 'b')).not.toBeInstanceOf(OfAUser)
    expect(new OfAUser('a', 'b')).toBeInstanceOf(theirs.PermanentCommandError)
  })
})

describe("the code of an error that is not the bus's own", () => {
  // as a minifier leaves them
  class a extends Error {
    override name = 'CardDeclined'
  }
  class b extends TypeError {}
  class c extends Error {}
  Object.defineProperty(c.prototype, 'name', { value: 'InsufficientFunds' })
  class PaymentRefused extends Error {}
  const coded = (code: unknown, error: Error = new Error('x')) => Object.assign(error, { code })

  const codes: readonly (readonly [title: string, thrown: unknown, code: string])[] = [
    ['its own name, where the class has been renamed', new a('x'), 'CardDeclined'],
    ['a name that its class inherits', new c('x'), 'InsufficientFunds'],
    ['its class, where no name was given', new PaymentRefused('x'), 'PaymentRefused'],
    ['what it extends, where its class has one letter', new b('x'), 'TypeError'],
    ['its own code', coded('ECONNREFUSED'), 'ECONNREFUSED'],
    ['its own code before its name', coded('card_declined', new a('x')), 'card_declined'],
    ['its code, with a state of SQL', coded('23505'), '23505'],
    ['its name, where the code is a number', coded(402, new a('x')), 'CardDeclined'],
    ['its name, where the code is a sentence', coded('it did not work', new a('x')), 'CardDeclined'],
    ['its name, where the code is a secret', coded('sk-0123456789abcdef', new a('x')), 'CardDeclined'],
    ['the name of an aborted signal', AbortSignal.abort().reason, 'AbortError'],
    ['of its cause, where it has none itself', new TypeError('fetch failed', { cause: coded('EPIPE') }), 'EPIPE'],
    ['its class, where neither it nor its cause has one', new RangeError('x', { cause: new Error('y') }), 'RangeError'],
    ['its class, from another realm', runInNewContext('new RangeError("x")'), 'RangeError'],
    ['of an object that is thrown', { code: 'E_PLAIN', message: 'x' }, 'E_PLAIN'],
    ['the type of anything else', 'text', 'string'],
  ]

  test('R4: is its own `code`, then the name it was given, then its class', async () => {
    const { bus, work, until } = await createTestBus()
    await work({
      domain: 'payments',
      handlers: { '*': data => Promise.reject(codes[(data as { readonly n: number }).n]?.[1]) },
    })
    const sent = await bus.sendBatch(
      'payments',
      codes.map((_, n) => ({ commandType: 'Charge', data: { n }, maxAttempts: 1 })),
    )
    for (const [i, { commandId }] of sent.entries()) {
      const parked = await until(
        () => bus.getCommand('payments', commandId),
        command => command?.status === 'IN_TROUBLESHOOTING_QUEUE',
      )
      expect(parked?.lastErrorCode, codes[i]?.[0]).toBe(codes[i]?.[2])
    }
    const groups = await bus.troubleshooting.groups({ domain: 'payments', errorCode: 'CardDeclined' })
    // each was made at a line of its own
    expect(groups.map(({ errorCode, count }) => [errorCode, count])).toEqual(
      codes.filter(([, , code]) => code === 'CardDeclined').map(() => ['CardDeclined', 1]),
    )
  })

  test('R4: an error is transient when one of its causes is, or one of the errors that it collects', () => {
    const refused = coded('ECONNREFUSED')
    const passing = [
      refused,
      new Error('x', { cause: refused }),
      new AggregateError([new Error('no'), refused]),
      new TypeError('fetch failed', { cause: new AggregateError([refused, refused]) }),
      new AggregateError([new AggregateError([new Error('x', { cause: { status: 503 } })])]),
    ]
    for (const error of passing) expect(onlyPassingErrors(error)).toEqual({ type: 'TRANSIENT' })
    const circle = new AggregateError([], 'round and round')
    circle.errors.push(circle)
    circle.cause = circle
    const lasting = [new Error('x'), new AggregateError([new Error('no'), { status: 404 }]), circle, null]
    for (const error of lasting) expect(onlyPassingErrors(error)).toEqual({ type: 'PERMANENT' })
  })
})
