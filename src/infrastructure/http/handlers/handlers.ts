import { InvalidInputError } from '../../../application/shared/errors.ts'
import { scopeOf } from '../../../application/shared/scope.ts'
import type { ActionView } from '../../../application/troubleshooting/bulk-action.ts'
import type { Acted, OperatorCall } from '../../../application/troubleshooting/operator-options.ts'
import type { proofRoutes } from '../../../contract/proof.ts'
import {
  type ActionName,
  actionNamed,
  actionNames,
  type operatorActions,
} from '../../../domain/command/operator-actions.ts'
import type { CommandStatus } from '../../../domain/command/transitions.ts'
import { parsePayloadCondition } from '../../../domain/json/payload-path.ts'
import type { ProofStats } from '../../proof/background-check.ts'
import type { Handlers } from '../requests/mount.ts'
import { alertHandlers } from './alert-handlers.ts'
import { acted, actionPlanAnswer } from './answers/dry-run-answer.ts'
import { historyAnswer, runHistoryAnswer } from './answers/history-answer.ts'
import { proofAnswer } from './answers/proof-answer.ts'
import { causeHandlers } from './cause-handlers.ts'
import { figureHandlers } from './figure-handlers.ts'
import { laneHandlers } from './lane-handlers.ts'
import { pauseHandlers } from './pause-handlers.ts'
import { scheduleHandlers } from './schedule-handlers.ts'
import { searchHandlers } from './search-handlers.ts'
import { strangerHandlers } from './stranger-handlers.ts'
import { whyHandlers } from './why-handlers.ts'
import { workerHandlers } from './worker-handlers.ts'
import { workflowHandlers } from './workflow-handlers.ts'

/** What handlers need besides the bus. */
export interface HandlerDeps {
  /** The state of the continuous verification; null: it does not run, or not yet. */
  readonly proof: () => ProofStats | null
}

export const createHandlers = ({ proof }: HandlerDeps): Handlers => ({
  ...handlers,
  getProof: async (_, caller) => {
    caller.demand('audit', null)
    return proofAnswer(proof(), scopeOf(caller.identity, 'ADMIN').tenantId === undefined)
  },
})

const act =
  (name: ActionName): Handlers['endAttempt'] =>
  async ({ params, body }, caller) => {
    const call = caller.troubleshooting[name] as OperatorCall<typeof body, Acted<CommandStatus>>
    return acted(await call(params.domain, params.commandId, body))
  }

const operatorHandlers = Object.fromEntries(
  actionNames.map(name => [actionNamed(name).route, act(name)]),
) as unknown as Pick<Handlers, (typeof operatorActions)[ActionName]['route']>

/** What each route does: one call of the application, limited to what the caller may do. */
const handlers: Omit<Handlers, keyof typeof proofRoutes> = {
  sendCommand: ({ params, body }, caller, { trace }) => caller.send(params.domain, { ...body, ...trace }),
  sendCommands: async ({ params, body }, caller, { trace }) => ({
    results: [
      ...(await caller.sendBatch(
        params.domain,
        body.commands.map(command => ({ ...command, ...trace })),
      )),
    ],
  }),
  listDomainCommands: async ({ params, query }, caller) =>
    page(await caller.queryCommands({ ...commandFilter(query), ...params })),
  listCommands: async ({ query }, caller) => page(await caller.queryCommands(commandFilter(query))),
  getCommand: ({ params }, caller) => caller.getCommand(params.domain, params.commandId),
  cancelCommand: ({ params, query }, caller) => caller.cancel(params.domain, params.commandId, query),
  rescheduleCommand: ({ params, body }, caller) => caller.reschedule(params.domain, params.commandId, body),
  getAuditTrail: async ({ params, query }, caller) => ({
    items: [...(await caller.auditTrail(params.domain, params.commandId, query))],
  }),
  getHistory: async ({ params, query }, caller) =>
    historyAnswer(await caller.history(params.domain, params.commandId, query)),
  getRunHistory: async ({ params, query }, caller) => runHistoryAnswer(await caller.runs.history(params.id, query)),
  getCorrelation: async ({ params }, caller) => {
    const { notShown, ...tree } = await caller.correlation(params.correlationId)
    return { ...page(tree), notShown: [...notShown] }
  },
  listParked: async ({ query }, caller, { asCsv }) =>
    page(await caller.troubleshooting.list({ ...query, counted: !asCsv })),
  listParkedAt: async ({ query }, caller) => page(await caller.troubleshooting.listAt(query)),
  groupParked: async ({ query }, caller) => ({
    items: (await caller.troubleshooting.groups(query)).map(group => ({
      key: [group.domain, group.commandType, group.errorCode, group.frame].filter(part => part !== null).join('/'),
      ...group,
    })),
  }),
  ...operatorHandlers,
  dryRunAction: async ({ body }, caller) =>
    actionPlanAnswer(await caller.troubleshooting.dryRun(body as Parameters<typeof caller.troubleshooting.dryRun>[0])),
  listRehearsable: async (_, caller) => ({ items: [...(await caller.troubleshooting.rehearsable())] }),
  rehearseCommand: async ({ params, body }, caller) =>
    caller.troubleshooting.rehearse(params.domain, params.commandId, body),
  startAction: async ({ body }, caller) =>
    progressOf(await caller.troubleshooting.start(body as Parameters<typeof caller.troubleshooting.start>[0])),
  getAction: async ({ params, query: { items, at, ...list } }, caller) => {
    const found = await caller.troubleshooting.action(params.id, items === 'true' ? list : undefined, at)
    const { became, changes } = found
    return {
      ...progressOf(found),
      ...(became === undefined ? {} : { became }),
      ...(changes === undefined ? {} : { changes }),
      ...(found.items === undefined ? {} : { items: [...found.items.items], nextCursor: found.items.nextCursor }),
    }
  },
  listActions: async ({ query }, caller) => {
    const { items, nextCursor } = await caller.troubleshooting.actions(query)
    return { items: items.map(progressOf), nextCursor }
  },
  pauseAction: async ({ params, body }, caller) => progressOf(await caller.troubleshooting.pause(params.id, body)),
  resumeAction: async ({ params }, caller) => progressOf(await caller.troubleshooting.resume(params.id)),
  stopAction: async ({ params, body }, caller) => progressOf(await caller.troubleshooting.stop(params.id, body)),
  getStats: async (_, caller) => {
    const { domains, throughput, queues, ...stats } = await caller.stats()
    return { ...stats, domains: [...domains], throughput: [...throughput], queues: [...queues] }
  },
  listOwed: async ({ query }, caller) => page(await caller.replies.owed(query)),
  listUndelivered: async ({ query: { delivered, ...filter } }, caller) =>
    page(await caller.replies.undelivered({ ...filter, delivered: delivered === 'true' })),
  deliverAgain: async ({ body }, caller) => {
    const { delivered, failed } = await caller.replies.deliverAgain(body)
    return { delivered, failed: [...failed] }
  },
  startOperation: ({ body }, caller) => caller.operations.start(body),
  listOperations: async ({ query }, caller) => page(await caller.operations.list(query)),
  getOperation: ({ params }, caller) => caller.operations.get(params.id),
  retryOperation: ({ params }, caller) => caller.operations.retry(params.id),
  ...causeHandlers,
  ...alertHandlers,
  ...figureHandlers,
  ...strangerHandlers,
  ...workflowHandlers,
  ...laneHandlers,
  ...scheduleHandlers,
  ...pauseHandlers,
  ...workerHandlers,
  ...searchHandlers,
  ...whyHandlers,
}

type YesOrNo = 'true' | 'false'

/** A query has texts only. */
const commandFilter = <
  Query extends { readonly scheduled?: YesOrNo; readonly retrying?: YesOrNo; readonly payload?: string },
>({
  scheduled,
  retrying,
  payload,
  ...query
}: Query) => ({
  ...query,
  ...(scheduled === undefined ? {} : { scheduled: scheduled === 'true' }),
  ...(retrying === undefined ? {} : { retrying: retrying === 'true' }),
  ...(payload === undefined ? {} : { payload: payloadOf(payload) }),
})

/** @throws InvalidInputError */
const payloadOf = (text: string) => {
  const condition = parsePayloadCondition(text, ':')
  if (condition === null) {
    throw new InvalidInputError(
      'payload',
      "must be a path and a value, such as orderId:ORD-30021 ('*' is any declared path)",
    )
  }
  return condition
}

const progressOf = ({
  criteria,
  campaign,
  tenantId: _,
  items: __,
  became: ___,
  changes: ____,
  ...progress
}: ActionView) => ({
  ...progress,
  ...{ stages: null, ratePerSecond: null, stopWhen: null, between: null },
  ...campaign,
  filter: 'filter' in criteria ? criteria.filter : null,
})

const page = <Item, Found extends { readonly items: readonly Item[] }>(found: Found) => ({
  ...found,
  items: [...found.items],
})
