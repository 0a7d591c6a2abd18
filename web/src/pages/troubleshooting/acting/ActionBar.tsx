import { Ban, CircleCheck, FlaskConical, PencilLine, RotateCcw } from 'lucide-react'
import { useState } from 'react'
import { usePermissions } from '../../../api/session.ts'
import { Button } from '../../../components/Button.tsx'
import { ActDialog } from './ActDialog.tsx'
import { EditDialog } from './EditDialog.tsx'
import { RehearseDialog } from './RehearseDialog.tsx'
import type { ActionKind, Target } from './target.ts'

interface ActionBarProps {
  readonly target: Target
  readonly onDone?: () => void
  /** False: no buttons any more, but a dialog that is open stays, to say what became of it. */
  readonly offered?: boolean
}

/** A list that changes behind an open dialog must not change what is confirmed. */
type Open = { readonly what: ActionKind | 'edit' | 'rehearse'; readonly target: Target }

/** What an operator can do with what is in troubleshooting; nothing for those who may not. */
export const ActionBar = ({ target, onDone = () => undefined, offered = true }: ActionBarProps) => {
  const may = usePermissions()
  const [open, setOpen] = useState<Open | null>(null)
  if (!may('operate')) return null
  const close = (): void => setOpen(null)
  return (
    <>
      {offered && (
        <>
          <Button
            look="primary"
            icon={<RotateCcw aria-hidden className="size-4" />}
            onClick={() => setOpen({ what: 'retry', target })}
          >
            Retry
          </Button>
          {target.kind === 'one' && (
            <Button
              icon={<FlaskConical aria-hidden className="size-4" />}
              onClick={() => setOpen({ what: 'rehearse', target })}
            >
              Rehearse
            </Button>
          )}
          {target.kind === 'one' && (
            <Button
              icon={<PencilLine aria-hidden className="size-4" />}
              onClick={() => setOpen({ what: 'edit', target })}
            >
              Edit and retry
            </Button>
          )}
          <Button
            icon={<CircleCheck aria-hidden className="size-4" />}
            onClick={() => setOpen({ what: 'complete', target })}
          >
            Complete
          </Button>
          <Button icon={<Ban aria-hidden className="size-4" />} onClick={() => setOpen({ what: 'cancel', target })}>
            Cancel
          </Button>
        </>
      )}
      {open?.what === 'edit' && open.target.kind === 'one' && (
        <EditDialog target={open.target} onClose={close} onDone={onDone} />
      )}
      {open?.what === 'rehearse' && open.target.kind === 'one' && (
        <RehearseDialog
          target={open.target}
          onClose={close}
          onRetry={() => setOpen({ what: 'retry', target: open.target })}
        />
      )}
      {open !== null && open.what !== 'edit' && open.what !== 'rehearse' && (
        <ActDialog action={open.what} target={open.target} onClose={close} onDone={onDone} />
      )}
    </>
  )
}
