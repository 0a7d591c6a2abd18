import type { Operation } from '../../api/client.ts'
import { Badge, type Tone } from '../../components/StatusBadge.tsx'

type Status = Operation['status']

const looks: Readonly<Record<Status, { readonly label: string; readonly text: string; readonly tone: Tone }>> = {
  pending: { label: 'pending', text: 'Waiting to start', tone: 'idle' },
  processing: { label: 'processing', text: 'Working on it', tone: 'info' },
  completed: { label: 'completed', text: 'Done', tone: 'ok' },
  failed: { label: 'failed', text: 'Failed', tone: 'bad' },
}

export const statuses = Object.entries(looks).map(([value, { label }]) => [value, label] as const)

export const statusText = (status: Status): string => looks[status].text

export const OperationBadge = ({ status }: { readonly status: Status }) => (
  <Badge tone={looks[status].tone}>{looks[status].label}</Badge>
)

/** `question_generation` as people say it. */
export const typeWords = (type: string): string => {
  const words = type.replaceAll(/[_-]+/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
