import { StepForward } from 'lucide-react'
import { useState } from 'react'
import type { Run } from '../../api/client.ts'
import { Button } from '../../components/Button.tsx'
import { ContinueDialog } from './ContinueDialog.tsx'

/** A run that ended with failed files can be continued; the dialog first shows the price. */
const canContinue = ({ status }: Run): boolean => status === 'COMPLETED_WITH_ERRORS' || status === 'FAILED'

export const ContinueButton = ({ run }: { readonly run: Run }) => {
  const [open, setOpen] = useState(false)
  return (
    <>
      {canContinue(run) && (
        <Button
          look="primary"
          data-testid="continue-button"
          icon={<StepForward aria-hidden className="size-4" />}
          onClick={() => setOpen(true)}
        >
          Continue
        </Button>
      )}
      {open && <ContinueDialog run={run} onClose={() => setOpen(false)} />}
    </>
  )
}
