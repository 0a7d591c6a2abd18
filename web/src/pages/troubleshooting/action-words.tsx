import type { ActionProgress } from '../../api/client.ts'
import { Badge, type Tone } from '../../components/StatusBadge.tsx'
import { dateText } from '../../components/time/clock.ts'

type Status = ActionProgress['status']

export const actionLooks: Readonly<Record<Status, { readonly label: string; readonly tone: Tone }>> = {
  RUNNING: { label: 'Under way', tone: 'info' },
  WAITING_FOR_CANARY: { label: 'Waiting for the canary', tone: 'info' },
  COMPLETED: { label: 'Finished', tone: 'ok' },
  CANARY_FAILED: { label: 'Canary failed', tone: 'bad' },
  STOPPED: { label: 'Stopped', tone: 'warn' },
}

export const isRunning = ({ status }: Pick<ActionProgress, 'status'>): boolean =>
  status === 'RUNNING' || status === 'WAITING_FOR_CANARY'

export const ActionBadge = ({ status }: { readonly status: Status }) => (
  <Badge tone={actionLooks[status].tone}>{actionLooks[status].label}</Badge>
)

/** An action's filter, in words. */
export const filterText = (filter: ActionProgress['filter']): string => {
  if (filter === null) return 'Selected one by one'
  const { errorCode, commandType, domain, from, to } = filter
  const parts = [
    errorCode && `error ${errorCode}`,
    commandType && `type ${commandType}`,
    domain && `domain ${domain}`,
    from && `parked since ${dateText(from)}`,
    to && `parked before ${dateText(to)}`,
  ].filter(part => part)
  return parts.length === 0 ? 'Filter: none' : `Filter: ${parts.join(', ')}`
}
