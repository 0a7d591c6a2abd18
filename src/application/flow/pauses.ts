import { isLeft } from 'fp-ts/lib/Either.js'
import type { PauseEvent } from '../../domain/flow/pause/events.ts'
import { pauseStream } from '../../domain/flow/pause/names.ts'
import {
  isPaused,
  type PauseFacts,
  type PauseIntent,
  type PauseRejection,
  type PauseState,
  pause,
} from '../../domain/flow/pause/pause.ts'
import type { Instant } from '../../domain/instant.ts'
import type { Scope } from '../ports/authorization.ts'
import type { Clock } from '../ports/clock.ts'
import type { Pause, PauseFilter, PauseQueries } from '../ports/reading/flow-queries.ts'
import { commandIdOf, commandTypeOf, domainOf, instantAhead, instantOf, optional, textOf } from '../shared/input.ts'
import { isWithin, NO_TENANT, scopedTenantOf } from '../shared/scope.ts'
import { AlreadyPausedError, PauseNotFoundError } from './flow-errors.ts'
import type { SettingKind, Settings } from './settings-store.ts'

/** What is paused, why and until when. */
export interface PauseOptions {
  readonly domain: string
  /** Only commands of this type. Default: every type. */
  readonly commandType?: string
  /** Only commands of this tenant. Default: of every tenant, and of none. */
  readonly tenantId?: string
  readonly reason: string
  /** It ends by itself then: ISO 8601, at most a year from now. Default: when it is resumed. */
  readonly until?: string
  /** Who pauses, for the record. Default `operator`. */
  readonly operator?: string
}

/** Who ends a pause. */
export interface ResumeOptions extends Scope {
  /** Who resumes, for the record. Default `operator`. */
  readonly operator?: string
}

/** Which pauses `pauses` returns. */
export interface PausesFilter extends PauseFilter {
  /** What was paused at this instant (ISO 8601), read from the log. Default: what is paused now. */
  readonly at?: string
}

export interface Resumed extends Pause {
  /** When and by whom it was resumed; null: it had ended by itself. */
  readonly resumedAt: string | null
  readonly resumedBy: string | null
}

export interface PausesDeps {
  readonly settings: Settings
  readonly queries: PauseQueries
  readonly clock: Clock
  readonly derivedId: (text: string) => string
  /** Tells the workers of this process; those of others find out by themselves. */
  readonly onChange: () => Promise<void>
}

export const pauseKind: SettingKind<PauseState, PauseIntent, PauseEvent, PauseRejection> = {
  name: 'FlowPause',
  prefix: pauseStream(''),
  decider: pause,
  tenantOf: state => (state.status === 'NONE' ? null : state.tenantId),
}

/** The most in one list, as in `PauseQueries`. */
const MOST = 1_000
/** What keeps workers from beginning commands for a while. A pause refuses no send. */
export const createPauses = ({ settings, queries, clock, derivedId, onChange }: PausesDeps) => {
  const now = (): Instant => clock.now().toISOString()

  return {
    /**
     * Pauses a domain, or in it a type, a tenant, or one type of one tenant.
     * @throws InvalidInputError, AlreadyPausedError: exactly this is paused, and stays as it is
     */
    pause: async (options: PauseOptions): Promise<Pause> => {
      const at = now()
      const scope = {
        domain: domainOf(options.domain),
        commandType: optional(options.commandType, commandTypeOf),
        tenantId: optional(options.tenantId, value => textOf(value, 'tenantId', 128)),
      }
      const facts = {
        at,
        actor: actorOf(options.operator),
        ...scope,
        reason: textOf(options.reason, 'reason'),
        until: optional(options.until, value => instantAhead(value, 'until', at)),
      }
      // one stream for each scope: of two callers at once, the second finds it paused
      const pauseId = derivedId(JSON.stringify(['pause', scope.domain, scope.commandType, scope.tenantId]))
      const outcome = await settings.change(pauseKind, pauseId, { type: 'Pause', ...facts })
      if (isLeft(outcome)) throw refusal(pauseId, outcome.left)
      await onChange()
      return viewOf(pauseId, facts)
    },

    /** Ends a pause; one that has ended stays as it is. @throws PauseNotFoundError */
    resume: async (id: string, options: ResumeOptions = {}): Promise<Resumed> => {
      const pauseId = commandIdOf(id, 'pauseId')
      const tenantId = optional(options.tenantId, scopedTenantOf)
      const outcome = await settings.change(
        pauseKind,
        pauseId,
        { type: 'Resume', at: now(), actor: actorOf(options.operator) },
        state => {
          if (state.status === 'NONE' || !isWithin(tenantId === null ? {} : { tenantId }, state.tenantId)) {
            throw new PauseNotFoundError(pauseId)
          }
        },
      )
      if (isLeft(outcome)) throw refusal(pauseId, outcome.left)
      await onChange()
      const { state } = outcome.right
      if (state.status === 'NONE') throw new PauseNotFoundError(pauseId)
      const ended =
        state.status === 'RESUMED'
          ? { resumedAt: state.resumedAt, resumedBy: state.resumedBy }
          : { resumedAt: null, resumedBy: null }
      return { ...viewOf(pauseId, state), ...ended }
    },

    /** What is paused now, or was at an instant; newest first. @throws InvalidInputError */
    pauses: async (filter: PausesFilter = {}): Promise<readonly Pause[]> => {
      const domain = optional(filter.domain, domainOf)
      const tenantId = optional(filter.tenantId, scopedTenantOf)
      const at = optional(filter.at, value => instantOf(value, 'at'))
      const wanted = { ...(domain === null ? {} : { domain }), ...(tenantId === null ? {} : { tenantId }) }
      if (at === null) return queries.inForce(wanted)
      return [...(await settings.at(pauseKind, at))]
        .flatMap(([pauseId, state]) => (isPaused(state, at) ? [viewOf(pauseId, state)] : []))
        .filter(one => (domain === null || one.domain === domain) && (tenantId === null || concerns(one, tenantId)))
        .sort((a, b) => (a.pausedAt < b.pausedAt ? 1 : -1))
        .slice(0, MOST)
    },
  }
}

export type Pauses = ReturnType<typeof createPauses>

const actorOf = (given: unknown): string => optional(given, value => textOf(value, 'operator', 200)) ?? 'operator'

/** A tenant is concerned by pauses for all tenants, too. */
const concerns = ({ tenantId }: Pause, tenant: string): boolean =>
  tenantId === null || (tenant !== NO_TENANT && tenantId === tenant)

const viewOf = (pauseId: string, { domain, commandType, tenantId, reason, until, actor, at }: PauseFacts): Pause => ({
  pauseId,
  domain,
  commandType,
  tenantId,
  reason,
  until,
  pausedBy: actor,
  pausedAt: at,
})

const refusal = (pauseId: string, rejection: PauseRejection): Error =>
  rejection.type === 'AlreadyPaused'
    ? new AlreadyPausedError(pauseId, rejection.facts)
    : new PauseNotFoundError(pauseId)
