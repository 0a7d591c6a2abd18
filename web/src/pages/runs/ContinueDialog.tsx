import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { toast } from 'react-hot-toast/headless'
import { ApiProblem, api, type Run, type RunPreview } from '../../api/client.ts'
import { explain } from '../../api/problem.ts'
import { Button } from '../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../components/Dialog.tsx'
import { ErrorDisplay } from '../../components/ErrorDisplay.tsx'
import { Answered } from '../../components/states.tsx'
import { credits, files } from './words.tsx'

const todo: Readonly<Record<string, string>> = {
  INSUFFICIENT_CREDITS: 'get credits for the tenant, then continue. Nothing was charged.',
  ALREADY_RUNNING: 'nothing; the run is active already.',
}

/** The price of a file without an outcome: free, unless the run failed and what was paid has been refunded. */
const pricePending = ({ status, testRun, creditsPerRun }: Run): string =>
  status === 'FAILED' && !testRun ? `${credits(creditsPerRun)} each` : 'free'

const Preview = ({ preview, run }: { readonly preview: RunPreview; readonly run: Run }) => (
  <div className="grid gap-3">
    <dl data-testid="preview" className="grid grid-cols-[1fr_auto] gap-x-4 gap-y-1.5">
      <dt>Files to run again</dt>
      <dd className="text-right font-semibold tabular-nums">{preview.files}</dd>
      <dt className="pl-3 text-muted">
        failed, {run.testRun ? 'free in a test run' : `${credits(run.creditsPerRun)} each`}
      </dt>
      <dd className="text-right tabular-nums">{preview.failedFiles}</dd>
      <dt className="pl-3 text-muted">never begun, {pricePending(run)}</dt>
      <dd className="text-right tabular-nums">{preview.pendingFiles}</dd>
      <dt>Credits needed</dt>
      <dd className="text-right font-semibold tabular-nums">{preview.creditsNeeded}</dd>
      <dt>Credits available</dt>
      <dd className="text-right tabular-nums">{preview.creditsAvailable}</dd>
    </dl>
    {preview.blockedBy !== null && (
      <ErrorDisplay
        severity="warning"
        message={`This run cannot be continued now: ${preview.message ?? preview.blockedBy}.${todo[preview.blockedBy] ? ` What to do: ${todo[preview.blockedBy]}` : ''}`}
      />
    )}
    <p className="text-muted">
      Completed files stay as they are. Files in error are not run again, because they would fail again.
    </p>
  </div>
)

/** Shows files and credits before anything is charged, or why the run cannot continue. */
export const ContinueDialog = ({ run, onClose }: { readonly run: Run; readonly onClose: () => void }) => {
  const queries = useQueryClient()
  const preview = useQuery({
    queryKey: ['run', 'preview', run.id],
    queryFn: ({ signal }) => api.previewRetry({ params: { id: run.id } }, { signal }),
    staleTime: 0,
    gcTime: 0,
  })
  const go = useMutation({
    mutationFn: () => api.retryFailed({ params: { id: run.id } }),
    onSuccess: () => {
      toast.success('The run continues')
      onClose()
    },
    // also when it was refused: the figures were out of date
    onSettled: () => queries.invalidateQueries(),
  })
  const found = preview.data
  const refused = go.error instanceof ApiProblem ? todo[go.error.code] : undefined
  return (
    <Dialog title="Continue this run" onClose={onClose}>
      <Answered query={preview} what="what it would cost">
        {preview => <Preview preview={preview} run={run} />}
      </Answered>
      {go.error !== null && (
        <ErrorDisplay message={`${explain(go.error)}${refused === undefined ? '' : ` What to do: ${refused}`}`} />
      )}
      <DialogButtons>
        <Button onClick={onClose}>Close</Button>
        <Button
          look="primary"
          busy={go.isPending}
          disabled={found === undefined || found.blockedBy !== null}
          onClick={() => go.mutate()}
        >
          {found === undefined ? 'Continue' : `Continue with ${files(found.files)} for ${credits(found.creditsNeeded)}`}
        </Button>
      </DialogButtons>
    </Dialog>
  )
}
