import { runStatuses } from '../../../../src/domain/workflow-run/status.ts'
import type { Run, RunFile } from '../../api/client.ts'
import { Badge, type Tone } from '../../components/StatusBadge.tsx'

interface Look {
  readonly label: string
  readonly tone: Tone
}

const runLooks: Readonly<Record<Run['status'], Look>> = {
  QUEUED: { label: 'Queued', tone: 'idle' },
  RUNNING: { label: 'Running', tone: 'info' },
  COMPLETED: { label: 'Completed', tone: 'ok' },
  COMPLETED_WITH_ERRORS: { label: 'Completed with errors', tone: 'warn' },
  FAILED: { label: 'Failed', tone: 'bad' },
  CANCELLED: { label: 'Cancelled', tone: 'idle' },
}

const fileLooks: Readonly<Record<RunFile['status'], Look>> = {
  pending: { label: 'pending', tone: 'idle' },
  processing: { label: 'processing', tone: 'info' },
  completed: { label: 'completed', tone: 'ok' },
  failed: { label: 'failed', tone: 'warn' },
  error: { label: 'error', tone: 'bad' },
}

export const runOptions = runStatuses.map(status => [status, runLooks[status].label] as const)
export const fileOptions = Object.keys(fileLooks).map(status => [status, status] as const)

export const RunBadge = ({ status }: { readonly status: Run['status'] }) => (
  <Badge tone={runLooks[status].tone}>{runLooks[status].label}</Badge>
)

export const FileBadge = ({ status }: { readonly status: RunFile['status'] }) => (
  <Badge tone={fileLooks[status].tone}>{fileLooks[status].label}</Badge>
)

const number = new Intl.NumberFormat()

export const credits = (count: number): string => (count === 1 ? '1 credit' : `${number.format(count)} credits`)
export const files = (count: number): string => (count === 1 ? '1 file' : `${number.format(count)} files`)
