import type { CommandToSend } from '../../application/commands/send-command.ts'
import { BATCH_COMMAND, WORKFLOW_DOMAIN } from '../../application/runs/run-jobs.ts'
import type { Json } from '../../domain/json/json.ts'
import { OPERATIONS_DOMAIN } from '../../domain/operation/policy.ts'
import type { Handler } from '../worker/attempt/handler.ts'
import { behave, behaveBatch, behaviorOf } from './behavior.ts'

export const demoDomain = 'demo'

/** Handles every command type; `data.behavior` decides how the command ends. */
export const demoHandlers: { readonly [commandType: string]: Handler } = {
  '*': { rehearsable: true, handle: (data: Json, context) => behave(behaviorOf(data), context) },
}

/** Handles every type of operation; `parameters.behavior` decides how it ends. A retry by hand counts attempts from 1 again. */
export const demoOperationHandlers: { readonly [commandType: string]: Handler } = {
  '*': {
    rehearsable: true,
    handle: (data: Json, context) => behave(behaviorOf(memberOf(data, 'parameters')), context),
  },
}

const memberOf = (data: Json, name: string): Json =>
  typeof data === 'object' && data !== null && !Array.isArray(data)
    ? ((data as { readonly [key: string]: Json })[name] ?? null)
    : null

/** Handles the files of workflow runs; `input.behavior` decides how each ends. A retry by hand counts attempts from 1 again. */
export const demoWorkflowHandlers: { readonly [commandType: string]: Handler } = {
  '*': { rehearsable: true, handle: (data: Json, context) => behave(behaviorOf(memberOf(data, 'input')), context) },
  [BATCH_COMMAND]: {
    rehearsable: true,
    handle: (data: Json, context) => behaveBatch(memberOf(data, 'files'), context),
  },
}

/** The handlers of a demo worker, by domain. */
export const demoDomains: ReadonlyMap<string, { readonly [commandType: string]: Handler }> = new Map([
  [demoDomain, demoHandlers],
  [OPERATIONS_DOMAIN, demoOperationHandlers],
  [WORKFLOW_DOMAIN, demoWorkflowHandlers],
])

/** Shorter than the default, so that a command whose worker was killed is tried again soon. */
export const demoLeaseSeconds = 10

export const demoReplyQueue = 'demo__replies'

/** The one of `demoCommands` that waits in troubleshooting; a retry completes it. */
export const parkedDemoCommand = 'c0ffee00-0000-4000-8000-000000000004'

/** One command for each outcome, to look at. Their ids are fixed, so that they are sent only once. */
export const demoCommands: readonly CommandToSend[] = [
  {
    commandId: 'c0ffee00-0000-4000-8000-000000000001',
    commandType: 'SendInvoice',
    data: { invoice: 1001, behavior: { result: { delivered: true } } },
  },
  {
    commandId: 'c0ffee00-0000-4000-8000-000000000002',
    commandType: 'ChargeCard',
    data: {
      amount: 25,
      behavior: { failTransientTimes: 1, errorCode: 'GATEWAY_TIMEOUT', errorMessage: 'the gateway did not answer' },
    },
    backoffSeconds: [0.5],
  },
  {
    commandId: 'c0ffee00-0000-4000-8000-000000000003',
    commandType: 'ChargeCard',
    data: {
      amount: 100_000,
      behavior: { businessRule: true, errorCode: 'LIMIT_EXCEEDED', errorMessage: 'the card has a limit of 5000' },
    },
  },
  {
    commandId: parkedDemoCommand,
    commandType: 'ShipOrder',
    data: {
      order: 77,
      behavior: { failTransientTimes: 2, errorCode: 'CARRIER_DOWN', errorMessage: 'the carrier takes no orders now' },
    },
    maxAttempts: 2,
    backoffSeconds: [0.5],
  },
].map(command => ({ ...command, replyTo: demoReplyQueue, actor: 'demo' }))
