import type { ModuleHandler } from '../../application/ports/deploying.ts'
import type { RehearsalAnswer, RehearsalRequest } from '../../application/ports/rehearsals.ts'
import type { Json } from '../../domain/json/json.ts'

/** The task for a process that was started for a rehearsal. */
export type RehearsalTask =
  | { readonly kind: 'run'; readonly id: string; readonly request: RehearsalRequest }
  | { readonly kind: 'check'; readonly domain: string; readonly commandType: string; readonly data: Json }
  /** To name the domains whose handlers it has. */
  | { readonly kind: 'domains' }
  /** To name its handlers, and to stay: further tasks follow, one at a time. */
  | { readonly kind: 'stay' }

/** The messages of that process. */
export type RehearsalMessage =
  /** The handler begins: its time counts from now. */
  | { readonly kind: 'began' }
  | { readonly kind: 'ran'; readonly answer: RehearsalAnswer }
  | { readonly kind: 'checked'; readonly faults: readonly string[] }
  | { readonly kind: 'known'; readonly domains: readonly string[] }
  | { readonly kind: 'stays'; readonly handlers: readonly ModuleHandler[] }
  /** The handler could not begin. */
  | { readonly kind: 'failed'; readonly message: string }
