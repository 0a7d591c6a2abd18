import type { AuditEntry, CommandStatus } from '../../../api/client.ts'

export interface Settled {
  readonly word: string
  readonly by: string
  readonly reason: string | null
}

const words: Readonly<Partial<Record<CommandStatus, string>>> = { CANCELED: 'Canceled', COMPLETED: 'Completed' }

/** Who canceled or completed it, and why; null: nobody has. */
export const settledBy = (status: CommandStatus, audit: readonly AuditEntry[]): Settled | null => {
  const [word, end] = [words[status], audit.at(-1)]
  if (word === undefined || end === undefined) return null
  const { reason } = (end.details ?? {}) as { readonly reason?: unknown }
  return { word, by: end.actor.replace(/^worker:/, 'worker '), reason: typeof reason === 'string' ? reason : null }
}
