import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { HonestCalls } from './honest-calls.ts'
import { type Honest, marker } from './people.ts'
import { type Prey, seen } from './prey.ts'

/** The stated limit: no honest user's command takes longer from its send to the end of its handler. */
export const LONGEST_WAIT_MS = 60_000
export const PRICE = 2
export const GRANTED = 1_000_000
export const replyQueueOf = { alice: 't_b__replies', erin: 'shop__replies' } as const

/** When the honest users sent each command, in milliseconds since 1970, by the key in the handlers' ledger. */
export interface Wanted {
  readonly done: Map<string, number>
  /** Ids of commands that want a reply, by queue. */
  readonly replies: Record<keyof typeof replyQueueOf, Set<string>>
  credits: number
}

type Item = { readonly commandId: string; readonly lastErrorCode: string | null }
type Body = Readonly<Record<string, unknown>>

/** Honest users' work: each member does one piece of it from beginning to end. */
export const createHonestLoad = ({ call, giveUp }: HonestCalls, prey: Prey) => {
  const wanted: Wanted = { done: new Map(), replies: { alice: new Set(), erin: new Set() }, credits: GRANTED }
  const want = (key: string): void => void wanted.done.set(key, Date.now())
  let turn = 0

  const command = (who: 'alice' | 'erin', wish: Body) => {
    const commandId = randomUUID()
    wanted.replies[who].add(commandId)
    want(`shop/${commandId}`)
    return {
      commandId,
      commandType: 'Order',
      data: { marker, ...wish },
      correlationId: `order-${marker}`,
      backoffSeconds: [0.1],
      replyTo: replyQueueOf[who],
    }
  }
  const wishes: readonly (Body & { readonly maxAttempts?: number })[] = [
    {},
    { fails: 1 },
    { note: 'x'.repeat(5_000) },
    { fails: 2, maxAttempts: 2 },
    { broken: true },
  ]
  const sendSome = async (who: 'alice' | 'erin'): Promise<void> => {
    // no honest user may retry a command without a tenant
    const some = who === 'erin' ? wishes.slice(0, 3) : wishes
    const { maxAttempts, ...wish } = some[turn++ % some.length] ?? {}
    const one = { ...command(who, wish), ...(maxAttempts === undefined ? {} : { maxAttempts }) }
    await call(who, { method: 'POST', path: '/domains/shop/commands', body: one }, 202)
    const commands = Array.from({ length: 5 }, () => command(who, {}))
    await call(who, { method: 'POST', path: '/domains/shop/commands/batch', body: { commands } }, 202)
    seen(prey.commands, one.commandId, ...commands.map(({ commandId }) => commandId))
    await call(who, { method: 'GET', path: `/domains/shop/commands/${one.commandId}` })
  }

  /** Retries parked commands: one with an edited payload, or many with a bulk action. */
  const operate = async (): Promise<void> => {
    const page = await call('bob', { method: 'GET', path: '/troubleshooting?domain=shop&limit=20' })
    const items = (page?.items ?? []) as readonly Item[]
    seen(prey.parked, ...items.map(({ commandId }) => commandId))
    for (const { commandId } of items.filter(({ lastErrorCode }) => lastErrorCode === 'BROKEN')) {
      await call('bob', { method: 'GET', path: `/domains/shop/commands/${commandId}/history` })
      const body = { data: { marker } }
      await call('bob', { method: 'POST', path: `/domains/shop/commands/${commandId}/retry`, body })
    }
    const ids = items.flatMap(({ commandId, lastErrorCode }) =>
      lastErrorCode === 'BUSY' ? [{ domain: 'shop', commandId }] : [],
    )
    await call('bob', { method: 'GET', path: '/commands?limit=20' })
    await call('bob', { method: 'GET', path: '/stats' })
    if (ids.length > 0) await act(ids)
  }
  const act = async (ids: readonly object[]): Promise<void> => {
    const body = { action: 'retry', ids, canary: 1 }
    const begun = await call('bob', { method: 'POST', path: '/troubleshooting/actions', body }, 202)
    if (begun === null) return
    seen(prey.actions, String(begun.actionId))
    await over('bob', `/troubleshooting/actions/${begun.actionId}`, ({ status }) => !isUnderWay(String(status)))
  }
  const isUnderWay = (status: string): boolean => status === 'RUNNING' || status === 'WAITING_FOR_CANARY'

  const over = async (who: Honest, path: string, is: (answer: Body) => boolean): Promise<void> => {
    const end = performance.now() + LONGEST_WAIT_MS
    for (;;) {
      const answer = await call(who, { method: 'GET', path })
      if (answer === null || is(answer)) return
      if (performance.now() > end) return giveUp(`${who} waits in vain for ${path}: ${JSON.stringify(answer)}`)
      await delay(200)
    }
  }

  let templateId = ''
  /** Starts a run of which two files fail, then continues it. */
  const runFiles = async (): Promise<void> => {
    const files = [0, 0, 2, 2].map((fromRound, i) => ({ fileName: `${i}-${marker}`, input: { marker, fromRound } }))
    const run = await call('carol', { method: 'POST', path: '/workflow-runs', body: { templateId, files } }, 202)
    if (run === null) return
    const id = String(run.id)
    files.forEach((_, i) => {
      want(`file/${id}/${i}`)
    })
    seen(prey.runs, id)
    wanted.credits -= PRICE * 6
    await over('carol', `/workflow-runs/${id}`, ({ endedAt }) => endedAt !== null)
    await call('carol', { method: 'GET', path: `/workflow-runs/${id}/retry-failed` })
    await call('carol', { method: 'POST', path: `/workflow-runs/${id}/retry-failed`, body: {} })
    await over('carol', `/workflow-runs/${id}`, ({ status }) => status === 'COMPLETED')
  }

  /** Starts an operation that succeeds, and one that fails and is retried. */
  const ask = async (): Promise<void> => {
    const start = async (parameters: Body): Promise<string> => {
      const body = { operation_type: 'Ask', parameters }
      return String((await call('dave', { method: 'POST', path: '/operations', body }, 202))?.id)
    }
    const works = await start({ marker })
    want(`operations/${works}`)
    const fails = await start({ marker, broken: true })
    seen(prey.operations, works, fails)
    for (const id of [works, fails]) {
      await over('dave', `/operations/${id}`, ({ status }) => status === 'completed' || status === 'failed')
    }
    await call('dave', { method: 'POST', path: `/operations/${fails}/retry`, body: {} })
  }

  return {
    wanted,
    begin: async (): Promise<void> => {
      const grant = { pool: 'purchased', amount: GRANTED, reason: marker, tenantId: 'b' }
      await call('grace', { method: 'POST', path: '/credits/grants', body: grant }, 201)
      const body = { name: marker, creditsPerRun: PRICE, batchMode: true }
      templateId = String((await call('carol', { method: 'POST', path: '/workflow-templates', body }, 201))?.id)
      prey.templates.push(templateId)
    },
    doings: [() => sendSome('alice'), () => sendSome('erin'), operate, runFiles, ask],
    operate,
  }
}
