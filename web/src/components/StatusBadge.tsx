import type { CommandStatus } from '../api/client.ts'

export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'idle'

/** The colours of a tone. */
export const tones: Readonly<Record<Tone, string>> = {
  ok: 'bg-ok-soft text-ok',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
  info: 'bg-info-soft text-info',
  idle: 'bg-raised text-muted',
}

export const Badge = ({ tone, children }: { readonly tone: Tone; readonly children: string }) => (
  <span className={`inline-block rounded px-1.5 py-0.5 text-xs font-semibold whitespace-nowrap ${tones[tone]}`}>
    {children}
  </span>
)

/** How each status is shown: its word, and its colour. */
export const statusLooks: Readonly<Record<CommandStatus, { readonly label: string; readonly tone: Tone }>> = {
  PENDING: { label: 'Pending', tone: 'idle' },
  IN_PROGRESS: { label: 'In progress', tone: 'info' },
  COMPLETED: { label: 'Completed', tone: 'ok' },
  FAILED: { label: 'Failed', tone: 'bad' },
  CANCELED: { label: 'Canceled', tone: 'idle' },
  IN_TROUBLESHOOTING_QUEUE: { label: 'Troubleshooting', tone: 'warn' },
}

export const StatusBadge = ({ status }: { readonly status: CommandStatus }) => (
  <Badge tone={statusLooks[status].tone}>{statusLooks[status].label}</Badge>
)
