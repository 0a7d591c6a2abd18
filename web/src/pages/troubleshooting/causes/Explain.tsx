import { useQuery } from '@tanstack/react-query'
import { Lightbulb } from 'lucide-react'
import { useState } from 'react'
import type { Explained } from '../../../api/client.ts'
import { explainQuery } from '../../../api/queries.ts'
import { usePermissions } from '../../../api/session.ts'
import { Button } from '../../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../../components/Dialog.tsx'
import { Answered } from '../../../components/states.tsx'

export interface ExplainedCause {
  readonly domain: string
  readonly commandType: string
  readonly errorCode: string
  readonly frame: string
}

const number = new Intl.NumberFormat()

const Share = ({ share, of, tone }: { readonly share: number; readonly of: string; readonly tone: string }) => (
  <div className="grid grid-cols-[5.5rem_1fr_3.5rem] items-center gap-2 text-xs text-muted">
    <span>{of}</span>
    <span aria-hidden className="h-1.5 rounded bg-raised">
      <span className={`block h-full rounded ${tone}`} style={{ width: `${share * 100}%` }} />
    </span>
    <span className="text-right tabular-nums">{`${Math.round(share * 1_000) / 10} %`}</span>
  </div>
)

const Findings = ({ failed, succeeded, findings }: Explained) => (
  <div className="grid gap-4" data-testid="findings">
    {findings.length === 0 && (
      <p role="status">Nothing stands out: what the failed commands have in common, the succeeded ones have as well.</p>
    )}
    <ol className="grid gap-4">
      {findings.map(({ sentence, failedShare, succeededShare }) => (
        <li key={sentence} className="grid gap-1">
          <p className="font-medium wrap-anywhere">{sentence}</p>
          <Share share={failedShare} of="Failed" tone="bg-chart-bad" />
          <Share share={succeededShare} of="Succeeded" tone="bg-chart-ok" />
        </li>
      ))}
    </ol>
    <p className="text-muted">
      Compared: {number.format(failed)} failed and {number.format(succeeded)} succeeded commands of this type, from
      about the same time.
    </p>
  </div>
)

const ExplainDialog = ({ cause, onClose }: { readonly cause: ExplainedCause; readonly onClose: () => void }) => {
  const explained = useQuery(explainQuery(cause))
  return (
    <Dialog title={`Explain ${cause.errorCode}`} onClose={onClose} wide>
      <p className="text-muted wrap-anywhere">
        What the failed {cause.commandType} commands of {cause.domain} have in common that the succeeded ones have not.
      </p>
      <Answered query={explained} what="samples">
        {answer => <Findings {...answer} />}
      </Answered>
      <DialogButtons>
        <Button onClick={onClose}>Close</Button>
      </DialogButtons>
    </Dialog>
  )
}

/** A button that shows what the failed of a cause have in common; nothing for users who may not see histories. */
export const Explain = ({ cause }: { readonly cause: ExplainedCause }) => {
  const may = usePermissions()
  const [open, setOpen] = useState<ExplainedCause | null>(null)
  if (!may('audit')) return null
  return (
    <>
      <Button icon={<Lightbulb aria-hidden className="size-4" />} onClick={() => setOpen(cause)}>
        Explain
      </Button>
      {open !== null && <ExplainDialog cause={open} onClose={() => setOpen(null)} />}
    </>
  )
}
