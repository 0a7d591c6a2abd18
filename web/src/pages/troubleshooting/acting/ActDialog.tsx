import { type FormEvent, useState } from 'react'
import {
  actionNamed,
  bulkOptionsOf,
  type ParkedAction,
  parkedActions,
} from '../../../../../src/domain/command/operator-actions.ts'
import { Button } from '../../../components/Button.tsx'
import { Dialog, DialogButtons } from '../../../components/Dialog.tsx'
import { TextField } from '../../../components/Field.tsx'
import { DryRun } from './DryRun.tsx'
import { type Entry, emptyEntry, OptionField, readEntry } from './OptionField.tsx'
import { PaceFields } from './PaceFields.tsx'
import { readPace, TYPED, UNDO_SECONDS, usualPace } from './pace.ts'
import { isGone, Refusal } from './Refusal.tsx'
import { TargetSummary } from './TargetSummary.tsx'
import { counted, howMany, type Target } from './target.ts'
import { type Choice, useAct } from './useAct.ts'

interface ActDialogProps {
  readonly action: ParkedAction
  readonly target: Target
  readonly onClose: () => void
  readonly onDone: () => void
}

/** What a command has now, which the dialog offers to change. */
const presentOf = (target: Target, option: string): string | undefined => {
  if (target.kind !== 'one') return undefined
  const { assignee, tags } = target.command
  return option === 'assignee' ? (assignee ?? undefined) : option === 'tags' ? tags?.join(', ') : undefined
}

/** Asks before an action is done: says how many commands and which, and has a field for each option. */
export const ActDialog = ({ action, target, onClose, onDone }: ActDialogProps) => {
  const { verb, intro } = parkedActions[action]
  const count = howMany(target)
  const fields = bulkOptionsOf(action).filter(([, { label }]) => label !== undefined)
  const [entries, setEntries] = useState<Readonly<Record<string, Entry>>>(() =>
    Object.fromEntries(fields.map(([name, option]) => [name, presentOf(target, name) ?? emptyEntry(option)])),
  )
  const isMany = target.kind !== 'one' && count > 1
  const staged = actionNamed(action).canary === true
  const [pace, setPace] = useState(() => usualPace(staged, count))
  // a filter that matches one may match more when the action starts
  const ends = target.kind !== 'one' && (action === 'cancel' || action === 'complete')
  const mustType = ends && count > TYPED
  const [typed, setTyped] = useState('')
  const act = useAct(target, () => {
    onDone()
    onClose()
  })
  const read = fields.map(([name, option]) => [name, readEntry(option, entries[name] ?? '')] as const)
  const paced = isMany ? readPace(pace) : {}
  const ready = read.every(([, { ok }]) => ok) && paced !== null && (!mustType || typed.trim() === String(count))
  const choice: Choice = {
    action,
    ...Object.fromEntries(read.flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value]]))),
    ...paced,
    ...(ends ? { undoSeconds: UNDO_SECONDS } : {}),
  }

  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (ready) act.mutate(choice)
  }

  return (
    <Dialog title={`${verb} ${counted(count)}`} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <TargetSummary target={target} />
        <p className="text-muted">{count === 1 ? intro.one : intro.many}</p>
        {isMany && <PaceFields count={count} staged={staged} value={pace} onChange={setPace} />}
        {fields.map(([name, option]) => (
          <OptionField
            key={name}
            option={option}
            count={count}
            value={entries[name] ?? ''}
            onChange={value => setEntries(before => ({ ...before, [name]: value }))}
          />
        ))}
        {ends && (
          <p className="text-muted">Nothing is done for {UNDO_SECONDS} seconds: until then all of it can be undone.</p>
        )}
        {mustType && <TextField label={`Type ${count} to confirm`} value={typed} onChange={setTyped} />}
        {target.kind !== 'one' && (
          <DryRun
            target={target}
            choice={choice}
            ready={ready}
            onExactly={planToken => act.mutate({ ...choice, planToken })}
          />
        )}
        <Refusal error={act.error} sent />
        <DialogButtons>
          <Button onClick={onClose}>Close</Button>
          <Button
            type="submit"
            look={action === 'cancel' ? 'danger' : 'primary'}
            busy={act.isPending}
            disabled={!ready || isGone(act.error)}
          >
            {verb} {counted(count)}
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  )
}
