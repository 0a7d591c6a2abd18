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
import { type Fact, Facts } from '../../components/Facts.tsx'
import { TextField } from '../../components/Field.tsx'
import { CopyButton } from '../../components/Json.tsx'
import { NotFound } from '../../components/NotFound.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { Answered } from '../../components/states.tsx'
import { AtAgo } from '../../components/Time.tsx'
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
      <TextField label="Reason (optional)" value={reason} onChange={setReason} />
      {cancel.error !== null && <ErrorDisplay message={explain(cancel.error)} />}
      <DialogButtons>
        <Button onClick={onClose}>Close</Button>
        <Button look="danger" busy={cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel the run
        </Button>
      </DialogButtons>
    </Dialog>
  )
}

const factsOf = (run: Run): readonly Fact[] => [
  ['Template', run.templateName],
  ['Started', <AtAgo key="s" at={run.createdAt} />],
  ['By', run.startedBy],
  ['Ended', run.endedAt === null ? null : <AtAgo key="e" at={run.endedAt} />],
  ['Tenant', run.tenantId],
  ['Price per file', run.testRun ? 'free: a test run' : credits(run.creditsPerRun)],
  ['Credits used', `${run.creditsConsumed} (${run.creditsFromMonthly} monthly, ${run.creditsFromPurchased} purchased)`],
  ['Max. retries per file', run.maxRetryCount],
  ['Mode', run.batchMode ? 'all files in one job' : 'one job per file'],
]

export const RunPage = ({ id }: { readonly id: string }) => {
  const run = useQuery(runQuery(id))
  const may = usePermissions()
  const [canceling, setCanceling] = useState(false)
  const found = run.data
  if (statusOf(run.error) === 404) {
    return <NotFound title="Unknown run" why="There is no such run" href="/runs" instead="To the runs" />
  }
  return (
    <Page
      title={found ? `Run of ${found.templateName}` : 'Run'}
      intro={
        <>
          <span className="font-mono text-xs wrap-anywhere">{id}</span> <CopyButton text={id} what="run id" />
        </>
      }
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
                <Facts facts={factsOf(run)} />
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
