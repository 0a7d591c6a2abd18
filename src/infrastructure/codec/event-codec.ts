import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { faultsOf } from '../../application/payloads/faults.ts'
import { EventEncodeError } from '../../application/ports/event-store.ts'
import { otherPriorities } from '../../domain/flow/priority.ts'
import type { EventContext } from '../../domain/recorded.ts'
import { number, oneOf } from './json.ts'
import { type Upcasts, upcast } from './upcast.ts'

/** An event in its stored form: three parts that are ready for JSON. */
export interface StoredEvent {
  readonly type: string
  readonly data: object
  readonly meta: object
}

/**
 * Turns domain events into stored ones and back, both checked by the same schema. `decode` reports every fault with its path.
 * `encode` throws EventEncodeError for an event that `decode` would refuse.
 */
export interface EventCodec<Event> {
  readonly encode: (event: Event, context: EventContext) => StoredEvent
  readonly decode: (stored: StoredEvent) => Either<readonly string[], { event: Event; context: EventContext }>
}

interface Fact {
  readonly type: string
  readonly at: string
  readonly actor: string
}

export const nullable = <C extends t.Mixed>(codec: C) =>
  // the union's own check makes a closure for each value
  Object.assign(t.union([codec, t.null], `${codec.name} or null`), {
    is: (value: unknown): value is t.TypeOf<C> | null => value === null || codec.is(value),
  })

const meta = t.type({
  v: number,
  at: t.string,
  actor: t.string,
  context: t.intersection([
    t.type({ commandType: t.string, correlationId: t.string }),
    t.partial({
      causationId: t.string,
      replyTo: t.string,
      tenantId: t.string,
      priority: oneOf(otherPriorities),
      lane: t.string,
      traceparent: t.string,
    }),
  ]),
})

type StoredContext = t.TypeOf<typeof meta>['context']
type Mutable<Of> = { -readonly [Name in keyof Of]: Of[Name] }

/**
 * Members that are missing in the log are null: every event has its context, and most commands have none of these. A spread for
 * each would take several times as long.
 */
const storedContext = (context: EventContext): StoredContext => {
  const { commandType, correlationId, causationId, replyTo, tenantId, priority, lane, traceparent } = context
  const stored: Mutable<StoredContext> = { commandType, correlationId }
  if (causationId !== null) stored.causationId = causationId
  if (replyTo !== null) stored.replyTo = replyTo
  if (tenantId !== null) stored.tenantId = tenantId
  if (priority !== undefined) stored.priority = priority
  if (lane !== undefined) stored.lane = lane
  if (traceparent !== undefined) stored.traceparent = traceparent
  return stored
}

const contextOf = (stored: StoredContext): EventContext => {
  const { commandType, correlationId, causationId, replyTo, tenantId, priority, lane, traceparent } = stored
  const context: Mutable<EventContext> = {
    commandType,
    correlationId,
    causationId: causationId ?? null,
    replyTo: replyTo ?? null,
    tenantId: tenantId ?? null,
  }
  if (priority !== undefined) context.priority = priority
  if (lane !== undefined) context.lane = lane
  if (traceparent !== undefined) context.traceparent = traceparent
  return context
}

/** The members of an event that are stored in `data`: all that are not in `type` or `meta`. */
export type DataOf<E> = E extends Fact ? Omit<E, 'type' | 'at' | 'actor'> : never

export interface EventSchema<Data> {
  /** The version that is written. */
  readonly version: number
  /** Decodes data of that version and drops extra members. */
  readonly data: t.Decoder<unknown, Data> & { is(value: unknown): value is Data }
}

/** A schema for each event of a union. */
export type EventSchemas<Event extends Fact> = {
  readonly [K in Event['type']]: EventSchema<DataOf<Extract<Event, { type: K }>>>
}

const membersOf = new WeakMap<object, ReadonlySet<string>>()

/** Whether the data has all members of the schema and no others. */
const isExactly = (schema: EventSchema<unknown>, data: object): boolean => {
  if (!schema.data.is(data)) return false
  let members = membersOf.get(schema)
  if (members === undefined) {
    members = new Set(namesOf(schema.data as t.Any))
    membersOf.set(schema, members)
  }
  for (const name in data) if (!members.has(name)) return false
  return true
}

const namesOf = (codec: t.Any): readonly string[] => {
  if (codec instanceof t.ExactType) return namesOf(codec.type)
  if (codec instanceof t.IntersectionType) return (codec.types as readonly t.Any[]).flatMap(namesOf)
  return codec instanceof t.InterfaceType || codec instanceof t.PartialType ? Object.keys(codec.props) : []
}

const faultsIn = (schema: EventSchema<unknown>, data: object, about: object): readonly string[] => {
  const [ofData, ofMeta] = [schema.data.decode(data), meta.decode(about)]
  return [
    ...(isLeft(ofMeta) ? faultsOf(ofMeta.left, 'meta') : []),
    ...(isLeft(ofData) ? faultsOf(ofData.left, 'data') : []),
  ]
}

/** One codec for a union of events, from a schema for each of them. */
export const eventCodec = <Event extends Fact>(schemas: EventSchemas<Event>, upcasts: Upcasts): EventCodec<Event> => {
  const table = new Map<string, EventSchema<unknown>>(Object.entries(schemas))
  return {
    encode: (event, context) => {
      const { type, at, actor, ...data } = event
      const schema = table.get(type)
      if (schema === undefined) throw new EventEncodeError(type, ['type: not an event of this version of commandbus'])
      const about = { v: schema.version, at, actor, context: storedContext(context) }
      // `is` is quick; the slower search for faults runs only if it fails
      if (!schema.data.is(data) || !meta.is(about)) throw new EventEncodeError(type, faultsIn(schema, data, about))
      return { type, data, meta: about }
    },
    decode: stored => {
      const schema = table.get(stored.type)
      if (schema === undefined) {
        return left([`type: '${stored.type}' is not known to this version of commandbus; upgrade it to read this log`])
      }
      // nearly all events are as they were written; a decoder looks for faults, which costs ten times as much
      if (meta.is(stored.meta) && stored.meta.v === schema.version && isExactly(schema, stored.data)) {
        const { at, actor, context } = stored.meta
        // named members first: a spread with members added after it costs ten times as much
        return right({
          event: { type: stored.type, at, actor, ...stored.data } as unknown as Event,
          context: contextOf(context),
        })
      }
      const about = meta.decode(stored.meta)
      if (isLeft(about)) return left(faultsOf(about.left, 'meta'))
      const current = upcast(upcasts, stored.type, about.right.v, schema.version, stored.data)
      if (isLeft(current)) return left([current.left])
      const data = schema.data.decode(current.right)
      if (isLeft(data)) return left(faultsOf(data.left, 'data'))
      const { at, actor, context } = about.right
      return right({
        event: { ...(data.right as object), type: stored.type, at, actor } as Event,
        context: contextOf(context),
      })
    },
  }
}
