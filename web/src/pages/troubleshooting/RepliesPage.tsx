import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Send } from 'lucide-react'
import { useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { api, type UndeliveredReply } from '../../api/client.ts'
import { undeliveredQuery } from '../../api/queries.ts'
import { Link, useSearch } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { PagedList } from '../../components/lists/PagedList.tsx'
import type { Column } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { Refusal } from './acting/Refusal.tsx'

const columns: readonly Column<UndeliveredReply>[] = [
  {
    title: 'Command',
    cell: ({ domain, commandId }) => (
      <Link
        href={`/commands/${encodeURIComponent(domain)}/${commandId}`}
        data-row
        className="font-mono text-xs text-accent hover:underline"
      >
        {domain} · {commandId}
      </Link>
    ),
  },
  { title: 'Queue', cell: ({ queue }) => <span className="font-mono text-xs wrap-anywhere">{queue}</span> },
  { title: 'Reason', grows: true, cell: ({ reason }) => <span className="wrap-anywhere">{reason}</span> },
  { title: 'Tries', numeric: true, from: 'md', cell: ({ tries }) => tries },
  { title: 'Since', from: 'sm', cell: ({ since }) => <Ago at={since} /> },
]

const counted = (count: number): string => `${count} ${count === 1 ? 'reply' : 'replies'}`

/** Delivers the replies that are shown, to their own queues or to another one. */
const Deliver = ({ replies }: { readonly replies: readonly UndeliveredReply[] }) => {
  const queries = useQueryClient()
  const [to, setTo] = useState('')
  const deliver = useMutation({
    mutationFn: () =>
      api.deliverAgain({
        body: { replyIds: replies.map(({ replyId }) => replyId), ...(to.trim() === '' ? {} : { to: to.trim() }) },
      }),
    onSuccess: ({ delivered, failed }) => {
      if (delivered > 0) toast.success(`${counted(delivered)} delivered`)
      if (failed.length > 0) toast.error(`${counted(failed.length)} could not be delivered: ${failed[0]?.reason}`)
    },
    onSettled: () => queries.invalidateQueries(),
  })
  return (
    <div className="grid gap-2 p-3">
      <div className="flex flex-wrap items-end gap-2">
        <label className="grid gap-1 text-sm">
          Other queue (optional)
          <input className="field font-mono" value={to} onChange={event => setTo(event.target.value)} maxLength={47} />
        </label>
        <Button
          icon={<Send aria-hidden className="size-4" />}
          busy={deliver.isPending}
          disabled={replies.length === 0}
          onClick={() => deliver.mutate()}
        >
          Deliver {counted(replies.length)} again
        </Button>
      </div>
      <Refusal error={deliver.error} />
    </div>
  )
}

/** Lists replies that could not be put on their queue. */
export const RepliesPage = () => {
  const { get } = useSearch()
  const cursor = get('cursor')
  const replies = useQuery(undeliveredQuery(cursor === undefined ? {} : { cursor }))
  return (
    <Page
      title="Undelivered replies"
      intro="The commands are finished, but their replies could not be put on the queue that the sender named."
      aside={
        <Link href="/troubleshooting" className="text-sm text-accent hover:underline">
          To troubleshooting
        </Link>
      }
    >
      <PagedList
        query={replies}
        names={['reply', 'replies']}
        csv="listUndelivered"
        columns={columns}
        keyOf={({ replyId }) => replyId}
        dense
        filters={<Deliver replies={replies.data?.items ?? []} />}
        empty={<Empty title="Every reply was delivered" />}
      />
    </Page>
  )
}
