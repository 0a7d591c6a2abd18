import type { RehearsalAnswer, RehearsalRequest } from '../../application/ports/rehearsals.ts'
import type { Json } from '../../domain/json/json.ts'

/** What a process asks of the one that it starts for a rehearsal. */
export type RehearsalTask =
  | { readonly kind: 'run'; readonly id: string; readonly request: RehearsalRequest }
  | { readonly kind: 'check'; readonly domain: string; readonly commandType: string; readonly data: Json }

/** What that one says. */
export type RehearsalMessage =
  /** The handler is about to run: its time counts from now. */
  | { readonly kind: 'began' }
  | { readonly kind: 'ran'; readonly answer: RehearsalAnswer }
  | { readonly kind: 'checked'; readonly faults: readonly string[] }
  /** It could not even begin. */
  | { readonly kind: 'failed'; readonly message: string }
