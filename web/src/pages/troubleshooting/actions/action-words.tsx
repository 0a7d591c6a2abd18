import { NO_FRAME } from '../../../../../src/domain/command/parking.ts'
import type { Action, ActionProgress } from '../../../api/client.ts'
import { Badge, type Tone } from '../../../components/StatusBadge.tsx'
import { dateText } from '../../../components/time/clock.ts'

type Status = ActionProgress['status']

export const actionLooks: Readonly<Record<Status, { readonly label: string; readonly tone: Tone }>> = {
  RUNNING: { label: 'Under way', tone: 'info' },
  WAITING_FOR_CANARY: { label: 'Waiting for the canary', tone: 'info' },
  PAUSED: { label: 'Paused', tone: 'warn' },
  COMPLETED: { label: 'Finished', tone: 'ok' },
  CANARY_FAILED: { label: 'Canary failed', tone: 'bad' },
  STOPPED: { label: 'Stopped', tone: 'warn' },
  STOPPED_BY_RULE: { label: 'Stopped by its rule', tone: 'bad' },
}

/** It is not over: it goes on, or may be resumed. */
export const isRunning = ({ status }: Pick<ActionProgress, 'status'>): boolean =>
  status === 'RUNNING' || status === 'WAITING_FOR_CANARY' || status === 'PAUSED'

export const ActionBadge = ({ status }: { readonly status: Status }) => (
  <Badge tone={actionLooks[status].tone}>{actionLooks[status].label}</Badge>
)

/** An action's filter, in words. */
export const filterText = (filter: ActionProgress['filter']): string => {
  if (filter === null) return 'Selected one by one'
  const { errorCode, frame, commandType, domain, from, to } = filter
  const parts = [
    errorCode && `error ${errorCode}`,
    frame && (frame === NO_FRAME ? 'place not known' : `thrown at ${frame}`),
    commandType && `type ${commandType}`,
    domain && `domain ${domain}`,
    from && `parked since ${dateText(from)}`,
    to && `parked before ${dateText(to)}`,
  ].filter(part => part)
  return parts.length === 0 ? 'Filter: none' : `Filter: ${parts.join(', ')}`
}

type Item = NonNullable<Action['items']>[number]
export type Outcome = NonNullable<Item['outcome']>
export type Became = NonNullable<Item['became']>

interface Look {
  readonly label: string
  readonly tone: Tone
}

/** Of a retry, done means sent again, and what became of it is said apart. */
export const outcomeLooks = (action: ActionProgress['action']): Readonly<Record<Outcome, Look>> => ({
  SUCCEEDED: action === 'retry' ? { label: 'Sent again', tone: 'info' } : { label: 'Done', tone: 'ok' },
  FAILED: action === 'retry' ? { label: 'Could not be sent', tone: 'bad' } : { label: 'Failed', tone: 'bad' },
  SKIPPED: { label: 'Skipped', tone: 'idle' },
})

export const becameLooks: Readonly<Record<Became, Look>> = {
  RUNNING: { label: 'Sent again', tone: 'info' },
  COMPLETED: { label: 'Completed', tone: 'ok' },
  IN_TROUBLESHOOTING_QUEUE: { label: 'Parked again', tone: 'bad' },
  FAILED: { label: 'Failed again', tone: 'bad' },
  CANCELED: { label: 'Canceled', tone: 'idle' },
}

export const ItemBadge = ({ item, action }: { readonly item: Item; readonly action: ActionProgress['action'] }) => {
  if (item.outcome === null) return <Badge tone="idle">Waiting</Badge>
  const { label, tone } = item.became === null ? outcomeLooks(action)[item.outcome] : becameLooks[item.became]
  return <Badge tone={tone}>{label}</Badge>
}

/** What an action waits for; empty: nothing, or it is over. */
export const waitText = ({ waitsFor, between, stage, stageTargets, canary }: ActionProgress): string => {
  switch (waitsFor) {
    case 'stage':
      return canary === null ? `Waiting for stage ${stage} of ${stageTargets.length} to end` : ''
    case 'hours':
      return `Waiting for ${between?.from} to ${between?.to}, ${between?.timeZone}`
    case 'undo':
      return 'Not begun: it can be undone'
    default:
      return ''
  }
}
