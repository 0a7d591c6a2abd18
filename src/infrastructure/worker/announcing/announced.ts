import type { Announced } from '../../postgres/workers/beats.ts'
import type { Run } from '../attempt/run.ts'

interface Announcing extends Pick<Announced, 'workerId' | 'types' | 'isStopping'> {
  readonly settings: Pick<Announced, 'domain' | 'build'> & { readonly concurrency: number }
  /** Attempts whose handler runs, those that began first first. */
  readonly handling: ReadonlySet<Run>
}

/** What a worker says of itself. */
export const announcedOf = ({
  settings: { domain, build, concurrency },
  handling,
  ...worker
}: Announcing): Announced => ({
  ...worker,
  domain,
  build,
  slots: concurrency,
  busy: () => handling.size,
  running: most =>
    [...handling].slice(0, most).map(({ job, began }) => ({
      commandId: job.key.commandId,
      commandType: job.command.sent.commandType,
      tenantId: job.command.sent.tenantId,
      attempt: job.attempt,
      ms: Math.round(performance.now() - began),
    })),
})
