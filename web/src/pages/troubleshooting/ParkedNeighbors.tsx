import { ArrowLeft, ChevronLeft, ChevronRight } from 'lucide-react'
import { useEffect } from 'react'
import type { CommandDetail } from '../../api/client.ts'
import { commandPath, Link, navigate, useFrom } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { neighborsOf } from '../../components/lists/visited.ts'
import { deselect } from './selection.ts'

type Key = Pick<CommandDetail, 'domain' | 'commandId'>

const lists = ['/troubleshooting', '/commands'] as const

/** The list that the user came from; null: another page. */
const listOf = (from: string | null): string | null =>
  lists.some(path => from === path || from?.startsWith(`${path}?`)) ? from : null

interface StepProps {
  readonly to: string | undefined
  readonly from: string
  readonly label: string
  readonly shortcut: string
}

/** To a neighbor in the list, whose way back is the same. */
const Step = ({ to, from, label, shortcut }: StepProps) => (
  <Button
    look="quiet"
    aria-label={label}
    title={`${label} (${shortcut})`}
    data-shortcut={shortcut}
    disabled={to === undefined}
    onClick={() => to !== undefined && navigate(to, { from })}
    icon={
      shortcut === 'k' ? (
        <ChevronLeft aria-hidden className="size-4" />
      ) : (
        <ChevronRight aria-hidden className="size-4" />
      )
    }
  />
)

/** The way back to the list that the user came from, and to the parked commands before and after this one. */
export const ParkedNeighbors = ({ domain, commandId, status }: Key & Partial<Pick<CommandDetail, 'status'>>) => {
  const from = useFrom()
  const list = listOf(from)
  const settled = status !== undefined && status !== 'IN_TROUBLESHOOTING_QUEUE'
  useEffect(() => {
    if (settled) deselect({ domain, commandId })
  }, [settled, domain, commandId])
  if (list === null) return null
  const around = neighborsOf(commandPath(domain, commandId), list)
  return (
    <nav aria-label="List" className="flex items-center gap-1 text-sm">
      <Link href={list} className="inline-flex items-center gap-1 text-accent hover:underline">
        <ArrowLeft aria-hidden className="size-4" />
        Back to the list
      </Link>
      {around !== null && (
        <>
          <Step to={around.previous} from={list} label="Previous command" shortcut="k" />
          <span className="text-xs text-muted tabular-nums">
            {around.place} of {around.of}
          </span>
          <Step to={around.next} from={list} label="Next command" shortcut="j" />
        </>
      )}
    </nav>
  )
}
