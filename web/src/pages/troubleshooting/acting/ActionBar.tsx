import { useQuery } from '@tanstack/react-query'
import {
  AlarmClock,
  Ban,
  CircleCheck,
  FlaskConical,
  type LucideIcon,
  PencilLine,
  RotateCcw,
  StickyNote,
  Tag,
  UserRoundCheck,
} from 'lucide-react'
import { useState } from 'react'
import { type ParkedAction, parkedActions } from '../../../../../src/domain/command/operator-actions.ts'
import { rehearsableQuery } from '../../../api/queries.ts'
import { usePermissions } from '../../../api/session.ts'
import { Button } from '../../../components/Button.tsx'
import { ActDialog } from './ActDialog.tsx'
import { EditDialog } from './EditDialog.tsx'
import { RehearseDialog } from './RehearseDialog.tsx'
import { domainsOf, type Target } from './target.ts'

interface ActionBarProps {
  readonly target: Target
  readonly onDone?: () => void
  /** False hides the buttons, but an open dialog stays, to show the result. */
  readonly offered?: boolean
}

/** In the order of the buttons. */
const icons: Readonly<Record<ParkedAction, LucideIcon>> = {
  retry: RotateCcw,
  complete: CircleCheck,
  snooze: AlarmClock,
  cancel: Ban,
  note: StickyNote,
  assign: UserRoundCheck,
  tag: Tag,
}

/** On the page of one command. */
const keys: Readonly<Partial<Record<Open['what'], string>>> = { retry: 'r', edit: 'e', cancel: 'c' }
/** They change nothing that a sender or worker sees. */
const careful: readonly ParkedAction[] = ['note', 'assign', 'tag']

const buttons = Object.keys(icons) as readonly ParkedAction[]

/** A list that changes behind an open dialog must not change what is confirmed. */
type Open = { readonly what: ParkedAction | 'edit' | 'rehearse'; readonly target: Target }

/** Where the service knows the handlers. If it does not say, its answer to the rehearsal does. */
const useCanRehearse = (target: Target, allowed: boolean): boolean => {
  const known = useQuery({ ...rehearsableQuery(), enabled: allowed && target.kind === 'one' })
  return target.kind === 'one' && (known.isError || known.data?.items.includes(target.command.domain) === true)
}

/** The operator's actions on commands in troubleshooting; empty for users without the permission. */
export const ActionBar = ({ target, onDone = () => undefined, offered = true }: ActionBarProps) => {
  const may = usePermissions()
  const [open, setOpen] = useState<Open | null>(null)
  const canRehearse = useCanRehearse(target, offered && may('operate'))
  if (!may('operate')) return null
  const close = (): void => setOpen(null)
  /** Only when it is allowed for all that the target may reach. */
  const mayAct = (name: ParkedAction | 'edit'): boolean => domainsOf(target).every(domain => may(name, domain))
  const button = (name: ParkedAction) => {
    if (!mayAct(name)) return null
    const Icon = icons[name]
    return (
      <Button
        key={name}
        data-shortcut={target.kind === 'one' ? keys[name] : undefined}
        look={name === 'retry' ? 'primary' : careful.includes(name) ? 'quiet' : 'plain'}
        icon={<Icon aria-hidden className="size-4" />}
        onClick={() => setOpen({ what: name, target })}
      >
        {parkedActions[name].verb}
      </Button>
    )
  }
  return (
    <>
      {offered && (
        <>
          {button('retry')}
          {canRehearse && mayAct('retry') && (
            <Button
              icon={<FlaskConical aria-hidden className="size-4" />}
              onClick={() => setOpen({ what: 'rehearse', target })}
            >
              Rehearse
            </Button>
          )}
          {target.kind === 'one' && mayAct('retry') && mayAct('edit') && (
            <Button
              data-shortcut={keys.edit}
              icon={<PencilLine aria-hidden className="size-4" />}
              onClick={() => setOpen({ what: 'edit', target })}
            >
              Edit and retry
            </Button>
          )}
          {buttons.filter(name => name !== 'retry').map(button)}
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
