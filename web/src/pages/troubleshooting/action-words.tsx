import type { ActionProgress } from '../../api/client.ts'
import { Badge, type Tone } from '../../components/StatusBadge.tsx'

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
  if (filter === null) return 'named one by one'
  const { errorCode, commandType, domain, from, to } = filter
  const parts = [
    errorCode && `with error ${errorCode}`,
    commandType && `of type ${commandType}`,
    domain && `in domain ${domain}`,
    from && `parked since ${from}`,
    to && `parked before ${to}`,
  ].filter(part => part)
  return parts.length === 0 ? 'all that was in troubleshooting' : parts.join(', ')
}
