import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Inbox, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { api, type Stranger } from '../../api/client.ts'
import { strangersQuery } from '../../api/queries.ts'
import { Link, useSearch } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { TextField } from '../../components/Field.tsx'
import { FilterBar, TextFilter } from '../../components/lists/Filters.tsx'
import { PagedList } from '../../components/lists/PagedList.tsx'
import type { Column } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { Refusal } from './acting/Refusal.tsx'

const counted = (count: number): string => `${count} ${count === 1 ? 'message' : 'messages'}`

const textOf = ({ message, messageBytes, messagePreview }: Stranger): string =>
  messageBytes === undefined ? JSON.stringify(message) : `${messagePreview}… (${messageBytes} bytes)`

const columns: readonly Column<Stranger>[] = [
  {
    title: 'Message',
    cell: stranger => (
      <>
        <span className="block text-muted">
          {stranger.queue} · {stranger.msgId}
        </span>
        <code className="line-clamp-3 font-mono text-xs wrap-anywhere">{textOf(stranger)}</code>
      </>
    ),
  },
  { title: 'Why', cell: ({ why }) => <span className="wrap-anywhere">{why}</span> },
  { title: 'Found', from: 'sm', cell: ({ foundAt }) => <Ago at={foundAt} /> },
]

/** Adopts or drops the given messages. */
const Settle = ({ strangers }: { readonly strangers: readonly Stranger[] }) => {
  const queries = useQueryClient()
  const [commandType, setCommandType] = useState('')
  const [reason, setReason] = useState('')
  const strangerIds = strangers.map(({ strangerId }) => strangerId)
  const onSettled = () => queries.invalidateQueries()
  const adopt = useMutation({
    mutationFn: () =>
      api.adoptStrangers({
        body: { strangerIds, ...(commandType.trim() === '' ? {} : { commandType: commandType.trim() }) },
      }),
    onSuccess: ({ adopted, failed }) => {
      if (adopted.length > 0) toast.success(`${counted(adopted.length)} adopted`)
      if (failed.length > 0) toast.error(`${counted(failed.length)} could not be adopted: ${failed[0]?.reason}`)
    },
    onSettled,
  })
  const drop = useMutation({
    mutationFn: () => api.dropStrangers({ body: { strangerIds, reason } }),
    onSuccess: ({ dropped }) => {
      toast.success(`${counted(dropped)} dropped`)
      setReason('')
    },
    onSettled,
  })
  const isEmpty = strangers.length === 0
  return (
    <div className="grid gap-3 p-3 text-sm">
      <div className="flex flex-wrap items-end gap-2">
        <TextField
          label="Command type, instead of the message's (optional)"
          value={commandType}
          onChange={setCommandType}
          maxLength={128}
        />
        <Button
          icon={<Inbox aria-hidden className="size-4" />}
          busy={adopt.isPending}
          disabled={isEmpty}
          onClick={() => adopt.mutate()}
        >
          Adopt {counted(strangers.length)}
        </Button>
      </div>
      <div className="flex flex-wrap items-end gap-2">
        <TextField label="Reason to drop" value={reason} onChange={setReason} maxLength={1_000} />
        <Button
          icon={<Trash2 aria-hidden className="size-4" />}
          busy={drop.isPending}
          disabled={isEmpty || reason.trim() === ''}
          onClick={() => drop.mutate()}
        >
          Drop {counted(strangers.length)}
        </Button>
      </div>
      <Refusal error={adopt.error ?? drop.error} />
    </div>
  )
}

/** Messages on command queues that no command of this bus sent. Those selected are adopted or dropped; without a selection, all shown. */
export const StrangersPage = () => {
  const { get } = useSearch()
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set())
  const given = Object.fromEntries(
    ['domain', 'messageType', 'cursor'].flatMap(name => {
      const value = get(name)
      return value === undefined || value === '' ? [] : [[name, value]]
    }),
  )
  const strangers = useQuery(strangersQuery(given))
  const items = strangers.data?.items ?? []
  const selected = items.filter(({ strangerId }) => picked.has(strangerId))
  const toggle = (id: string): void => {
    const next = new Set(picked)
    if (!next.delete(id)) next.add(id)
    setPicked(next)
  }
  const selection: Column<Stranger> = {
    title: 'Selected',
    quiet: true,
    cell: ({ strangerId, msgId }) => (
      <input
        type="checkbox"
        aria-label={`Select message ${msgId}`}
        checked={picked.has(strangerId)}
        onChange={() => toggle(strangerId)}
      />
    ),
  }
  return (
    <Page
      title="Messages of other programs"
      intro="They were found on queues of commands, but no command of this bus sent them. Adopt them, and they become commands; or drop them."
      aside={
        <Link href="/troubleshooting" className="text-sm text-accent hover:underline">
          To troubleshooting
        </Link>
      }
    >
      <PagedList
        query={strangers}
        names={['message', 'messages']}
        csv="listStrangers"
        columns={[selection, ...columns]}
        keyOf={({ strangerId }) => strangerId}
        filters={
          <>
            <FilterBar names={['domain', 'messageType']}>
              <TextFilter name="domain" label="Domain" />
              <TextFilter name="messageType" label="Type in the message" />
            </FilterBar>
            {items.length > 0 && <Settle strangers={selected.length > 0 ? selected : items} />}
          </>
        }
        empty={<Empty title="No messages of other programs" />}
      />
    </Page>
  )
}
