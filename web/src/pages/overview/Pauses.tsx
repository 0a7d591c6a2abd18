import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Pause as PauseIcon, Play } from 'lucide-react'
import { useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { api, type Pause } from '../../api/client.ts'
import { pausesQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { Button } from '../../components/Button.tsx'
import { Ago, At } from '../../components/Time.tsx'
import { Refusal } from '../troubleshooting/acting/Refusal.tsx'
import { PauseDialog } from './PauseDialog.tsx'

const nameOf = ({ domain, commandType, tenantId }: Pause): string =>
  [
    ...(commandType === null ? [] : [`type ${commandType}`]),
    ...(tenantId === null ? [] : [`tenant ${tenantId}`]),
    commandType === null && tenantId === null ? `Domain ${domain}` : `in ${domain}`,
  ]
    .join(' ')
    .replace(/^[a-z]/, first => first.toUpperCase())

const Resume = ({ pause }: { readonly pause: Pause }) => {
  const queries = useQueryClient()
  const resume = useMutation({
    mutationFn: () => api.resume({ params: { id: pause.pauseId } }),
    onSuccess: () => toast.success(`${nameOf(pause)} is resumed`),
    onSettled: () => queries.invalidateQueries(),
  })
  return (
    <>
      <Button
        icon={<Play aria-hidden className="size-4" />}
        aria-label={`Resume ${nameOf(pause)}`}
        busy={resume.isPending}
        onClick={() => resume.mutate()}
      >
        Resume
      </Button>
      <Refusal error={resume.error} />
    </>
  )
}

/** What is paused, by whom and why; nothing if nothing is. */
export const Pauses = () => {
  const may = usePermissions()
  const pauses = useQuery(pausesQuery())
  const items = pauses.data?.items ?? []
  if (items.length === 0) return null
  return (
    <ul aria-label="Paused" className="card grid divide-y divide-line border-warn">
      {items.map(pause => (
        <li key={pause.pauseId} className="flex flex-wrap items-center justify-between gap-3 px-4 py-2 text-sm">
          <span>
            <strong className="font-semibold wrap-anywhere">{nameOf(pause)} is paused</strong>
            <span className="block wrap-anywhere">{pause.reason}</span>
            <span className="block text-xs text-muted wrap-anywhere">
              by {pause.pausedBy}, <Ago at={pause.pausedAt} />
              {pause.until === null ? (
                ', until it is resumed'
              ) : (
                <>
                  , until <At at={pause.until} />
                </>
              )}
            </span>
          </span>
          {may('operate', pause.domain) && <Resume pause={pause} />}
        </li>
      ))}
    </ul>
  )
}

/** Opens the dialog that pauses. */
export const PauseButton = () => {
  const may = usePermissions()
  const [open, setOpen] = useState(false)
  if (!may('operate')) return null
  return (
    <>
      <Button icon={<PauseIcon aria-hidden className="size-4" />} onClick={() => setOpen(true)}>
        Pause
      </Button>
      {open && <PauseDialog onClose={() => setOpen(false)} />}
    </>
  )
}
