import * as t from 'io-ts'
import type { BusEvent } from '../../domain/bus-event.ts'
import type { CreditsEvent } from '../../domain/credits/events.ts'
import type { RunEvent } from '../../domain/workflow-run/events.ts'
import { runStatuses } from '../../domain/workflow-run/status.ts'
import type { TemplateEvent } from '../../domain/workflow-template/events.ts'
import { commandCodec } from './command-codec.ts'
import { type EventCodec, type EventSchemas, eventCodec, nullable } from './event-codec.ts'
import { flowCodec, flowEventTypes } from './flow-codec.ts'
import { json, number, oneOf } from './json.ts'

type WorkflowEvent = RunEvent | CreditsEvent | TemplateEvent

const split = t.strict({ monthly: number, purchased: number, month: t.string })
const charge = t.strict({ chargeId: t.string, taken: split })
const owed = t.strict({ chargeId: t.string, amount: number, reason: t.string })
const fileStatus = oneOf(['pending', 'completed', 'failed', 'error'])
const outcome = oneOf(['completed', 'failed', 'error', 'interrupted', 'cancelled'])
const runStatus = oneOf(runStatuses)

const errorText = { errorCode: nullable(t.string), errorMessage: nullable(t.string) }

/** The stored form of a run's events, version 1. */
const runSchemas: EventSchemas<RunEvent> = {
  RunInitiated: {
    version: 1,
    data: t.strict({
      tenantId: t.string,
      templateId: t.string,
      templateName: t.string,
      creditsPerRun: number,
      batchMode: t.boolean,
      testRun: t.boolean,
      maxRetryCount: number,
      files: t.array(t.strict({ fileName: t.string, input: json })),
      charge: nullable(charge),
    }),
  },
  RunBegan: { version: 1, data: t.strict({ round: number }) },
  RunFilesNoted: {
    version: 1,
    data: t.strict({
      round: number,
      status: runStatus,
      results: t.array(t.strict({ index: number, outcome, ...errorText })),
      completedJobs: number,
      failedJobs: number,
    }),
  },
  RunEnded: {
    version: 1,
    data: t.strict({ round: number, status: runStatus, refunds: t.array(owed), settled: t.boolean }),
  },
  RunResumed: {
    version: 1,
    data: t.strict({
      retryId: t.string,
      round: number,
      files: t.array(t.strict({ index: number, retryAttempt: number, charged: t.boolean })),
      charge: nullable(charge),
      creditsFromMonthly: number,
      creditsFromPurchased: number,
    }),
  },
  RunCancelled: { version: 1, data: t.strict({ reason: nullable(t.string) }) },
  RunDispatchFailed: {
    version: 1,
    data: t.strict({
      round: number,
      code: t.string,
      message: t.string,
      restored: t.array(
        t.strict({
          index: number,
          status: fileStatus,
          retryAttempt: number,
          ...errorText,
          lastRetriedAt: nullable(t.string),
        }),
      ),
      status: runStatus,
      refunds: t.array(owed),
      settled: t.boolean,
    }),
  },
  RunRefunded: {
    version: 1,
    data: t.strict({
      returned: t.array(t.strict({ chargeId: t.string, returned: split })),
      creditsFromMonthly: number,
      creditsFromPurchased: number,
      settled: t.boolean,
    }),
  },
  RunChargeAbandoned: { version: 1, data: t.strict({ chargeId: t.string }) },
}

/** The stored form of a ledger's events, version 1. */
const creditsSchemas: EventSchemas<CreditsEvent> = {
  CreditsGranted: {
    version: 1,
    data: t.strict({
      grantId: t.string,
      pool: oneOf(['monthly', 'purchased']),
      amount: number,
      reason: t.string,
      left: split,
    }),
  },
  CreditsCharged: {
    version: 1,
    data: t.strict({ chargeId: t.string, runId: t.string, taken: split, left: split }),
  },
  CreditsRefunded: {
    version: 1,
    data: t.strict({ chargeId: t.string, runId: t.string, returned: split, reason: t.string, left: split }),
  },
}

const named = { name: t.string, creditsPerRun: number }

/** The stored form of a template's events, version 1. */
const templateSchemas: EventSchemas<TemplateEvent> = {
  TemplateCreated: {
    version: 1,
    data: t.strict({ ...named, tenantId: nullable(t.string), batchMode: t.boolean }),
  },
  TemplateEdited: { version: 1, data: t.strict(named) },
  TemplateArchived: { version: 1, data: t.strict({}) },
}

const schemas: EventSchemas<WorkflowEvent> = { ...runSchemas, ...creditsSchemas, ...templateSchemas }

/** Runs, ledgers and templates. Change a shape only with a new version and a step in the upcasts. */
export const workflowCodec = eventCodec<WorkflowEvent>(schemas, {})

const of = (types: readonly string[], codec: unknown) =>
  types.map(type => [type, codec as EventCodec<BusEvent>] as const)

/** The codec of each type of event, except for those of commands, for which one look is enough. */
const others = new Map([...of(Object.keys(schemas), workflowCodec), ...of(flowEventTypes, flowCodec)])
const codecOf = (type: string): EventCodec<BusEvent> => others.get(type) ?? (commandCodec as EventCodec<BusEvent>)

/** The codec of every event in the log. */
export const busCodec: EventCodec<BusEvent> = {
  encode: (event, context) => codecOf(event.type).encode(event, context),
  decode: stored => codecOf(stored.type).decode(stored),
}
