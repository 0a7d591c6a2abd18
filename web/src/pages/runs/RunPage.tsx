import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Ban } from 'lucide-react'
import { useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { api, type Run } from '../../api/client.ts'
import { explain, statusOf } from '../../api/problem.ts'
import { isActive, runQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { Link } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { ErrorDisplay } from '../../components/ErrorDisplay.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { Answered, Empty } from '../../components/states.tsx'
import { At } from '../../components/Time.tsx'
import { ContinueButton } from './ContinueButton.tsx'
import { RunFiles } from './RunFiles.tsx'
import { RunProgress } from './RunProgress.tsx'
import { credits, files, RunBadge } from './words.tsx'

const CancelDialog = ({ run, onClose }: { readonly run: Run; readonly onClose: () => void }) => {
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const cancel = useMutation({
    mutationFn: () =>
      api.cancelRun({ params: { id: run.id }, body: reason.trim() === '' ? {} : { reason: reason.trim() } }),
    onSuccess: () => {
      toast.success('The run is cancelled')
      onClose()
    },
    onSettled: () => queries.invalidateQueries(),
  })
  const waiting = run.perFileResults.filter(({ status }) => status === 'pending').length
  return (
    <Dialog title="Cancel this run" onClose={onClose}>
      <p>
        {files(waiting)} that no worker is processing {waiting === 1 ? 'is' : 'are'} withdrawn and refunded. Files that
        are being processed finish.
      </p>
      <label className="grid gap-1 font-medium">
        Reason (optional)
        <input className="field font-normal" value={reason} onChange={event => setReason(event.target.value)} />
      </label>
      {cancel.error !== null && <ErrorDisplay message={explain(cancel.error)} />}
      <DialogButtons>
        <Button onClick={onClose}>Back</Button>
        <Button look="danger" busy={cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel the run
        </Button>
      </DialogButtons>
    </Dialog>
  )
}

const Facts = ({ run }: { readonly run: Run }) => {
  const facts = [
    ['Template', run.templateName],
    ['Started', <At key="s" at={run.createdAt} />],
    ['By', run.startedBy],
    ['Ended', run.endedAt === null ? null : <At key="e" at={run.endedAt} />],
    ['Tenant', run.tenantId],
    ['Price per file', run.testRun ? 'free: a test run' : credits(run.creditsPerRun)],
    [
      'Credits used',
      `${run.creditsConsumed} (${run.creditsFromMonthly} monthly, ${run.creditsFromPurchased} purchased)`,
    ],
    ['Max. retries per file', run.maxRetryCount],
    ['Mode', run.batchMode ? 'all files in one job' : 'one job per file'],
  ] as const
  return (
    <dl className="grid grid-cols-[10rem_minmax(0,1fr)] gap-y-1.5 p-4 text-sm">
      {facts
        .filter(([, value]) => value !== null)
        .map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="wrap-anywhere">{value}</dd>
          </div>
        ))}
    </dl>
  )
}

export const RunPage = ({ id }: { readonly id: string }) => {
  const run = useQuery(runQuery(id))
  const may = usePermissions()
  const [canceling, setCanceling] = useState(false)
  const found = run.data
  if (statusOf(run.error) === 404) {
    return (
      <Page title="Unknown run">
        <div className="card">
          <Empty title="There is no such run">
            <Link href="/runs" className="text-accent underline">
              To the runs
            </Link>
          </Empty>
        </div>
      </Page>
    )
  }
  return (
    <Page
      title={found ? `Run of ${found.templateName}` : 'Run'}
      intro={<span className="font-mono text-xs wrap-anywhere">{id}</span>}
      aside={
        found && (
          <>
            <RunBadge status={found.status} />
            <ContinueButton run={found} />
            {isActive(found) && (
              <Button icon={<Ban aria-hidden className="size-4" />} onClick={() => setCanceling(true)}>
                Cancel
              </Button>
            )}
          </>
        )
      }
    >
      <Answered query={run} what="the run">
        {run => (
          <>
            <div className="grid items-start gap-4 xl:grid-cols-[3fr_2fr]">
              <Section title="Progress">
                <RunProgress run={run} />
              </Section>
              <Section
                title="Facts"
                aside={
                  may('audit') && (
                    <Link className="text-xs text-accent hover:underline" href={`/audit?correlationId=${run.id}`}>
                      Causal view
                    </Link>
                  )
                }
              >
                <Facts run={run} />
              </Section>
            </div>
            <Section title="Files">
              <RunFiles files={run.perFileResults} />
            </Section>
          </>
        )}
      </Answered>
      {canceling && found && <CancelDialog run={found} onClose={() => setCanceling(false)} />}
    </Page>
  )
}
