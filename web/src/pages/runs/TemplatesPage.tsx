import { useQuery } from '@tanstack/react-query'
import { Archive, Play, Plus } from 'lucide-react'
import { useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import type { Template } from '../../api/client.ts'
import { PAGE_SIZE, templatesQuery } from '../../api/queries.ts'
import { useSessionState } from '../../api/session.ts'
import { Link, useSearch } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { Dialog } from '../../components/Dialog.tsx'
import { SelectFilter, TextFilter } from '../../components/lists/Filters.tsx'
import { PagedList } from '../../components/lists/PagedList.tsx'
import type { Column } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { Badge } from '../../components/StatusBadge.tsx'
import { Empty } from '../../components/states.tsx'
import { Ago, At } from '../../components/Time.tsx'
import { ArchiveDialog } from './ArchiveDialog.tsx'
import { NewTemplate } from './NewTemplate.tsx'
import { StartRunDialog } from './StartRunDialog.tsx'
import { credits } from './words.tsx'

type Open = { readonly what: 'new' } | { readonly what: 'start' | 'archive'; readonly template: Template }

const archivedOptions = [
  ['false', 'In use'],
  ['true', 'Archived'],
] as const

const isKnown = (text: string | undefined): text is 'false' | 'true' => text === 'false' || text === 'true'

const facts: readonly Column<Template>[] = [
  {
    title: 'Template',
    cell: ({ id, name, tenantId }) => (
      <>
        <span className="font-medium wrap-anywhere">{name}</span>
        <span className="block text-xs text-muted">
          {tenantId ?? 'all tenants'}
          <span className="hidden font-mono wrap-anywhere md:inline"> · {id}</span>
        </span>
      </>
    ),
  },
  {
    title: 'Price',
    numeric: true,
    cell: ({ creditsPerRun, batchMode }) => (
      <>
        {credits(creditsPerRun)} per file
        {batchMode && <span className="block text-xs text-muted">all files in one job</span>}
      </>
    ),
  },
  {
    title: 'State',
    from: 'sm',
    cell: ({ archivedAt }) =>
      archivedAt === null ? (
        <Badge tone="ok">In use</Badge>
      ) : (
        <>
          <Badge tone="idle">Archived</Badge>
          <span className="block text-xs text-muted">
            <At at={archivedAt} />
          </span>
        </>
      ),
  },
  {
    title: 'Created',
    from: 'lg',
    cell: ({ createdAt, createdBy }) => (
      <>
        <Ago at={createdAt} />
        <span className="block text-xs text-muted wrap-anywhere">by {createdBy}</span>
      </>
    ),
  },
]

const emptyText = (archived: string | undefined): string =>
  archived === 'true' ? 'No template is archived' : 'There are no templates yet: a run needs one'

/** The templates of runs, with their prices. Archived ones stay visible. */
export const TemplatesPage = () => {
  const { get } = useSearch()
  const { session } = useSessionState()
  const [archived, tenantId, cursor] = [get('archived'), get('tenantId'), get('cursor')]
  const [open, setOpen] = useState<Open | null>(null)
  const close = (): void => setOpen(null)
  const templates = useQuery(
    templatesQuery({
      limit: PAGE_SIZE,
      archived: isKnown(archived) ? archived : 'any',
      ...(tenantId === undefined ? {} : { tenantId }),
      ...(cursor === undefined ? {} : { cursor }),
    }),
  )
  // a user of one tenant may not archive a template of all tenants
  const mayArchive = (template: Template): boolean =>
    session !== null && (session.tenant === null || template.tenantId === session.tenant)

  const actions: Column<Template> = {
    title: 'Actions',
    quiet: true,
    cell: template =>
      template.archivedAt !== null ? (
        <span className="sm:hidden">
          <Badge tone="idle">Archived</Badge>
        </span>
      ) : (
        <div className="flex flex-wrap justify-end gap-1">
          <Button
            data-row
            aria-label={`Start a run of ${template.name}`}
            icon={<Play aria-hidden className="size-4" />}
            onClick={() => setOpen({ what: 'start', template })}
          >
            Start
          </Button>
          {mayArchive(template) && (
            <Button
              look="quiet"
              aria-label={`Archive ${template.name}`}
              icon={<Archive aria-hidden className="size-4" />}
              onClick={() => setOpen({ what: 'archive', template })}
            >
              Archive
            </Button>
          )}
        </div>
      ),
  }

  return (
    <Page
      title="Workflow templates"
      intro="A template sets the price per file of a run. A run keeps the price it started with."
      aside={
        <>
          <Link href="/runs" className="text-sm text-accent hover:underline">
            To the runs
          </Link>
          <Button
            look="primary"
            icon={<Plus aria-hidden className="size-4" />}
            onClick={() => setOpen({ what: 'new' })}
          >
            New template
          </Button>
        </>
      }
    >
      <PagedList
        query={templates}
        names={['template', 'templates']}
        columns={[...facts, actions]}
        keyOf={({ id }) => id}
        filters={
          <div className="grid grid-cols-2 gap-3 p-3 sm:max-w-md">
            <SelectFilter name="archived" label="State" options={archivedOptions} />
            {session?.tenant === null && <TextFilter name="tenantId" label="Tenant" />}
          </div>
        }
        empty={<Empty title={emptyText(archived)} />}
      />
      {open?.what === 'new' && (
        <Dialog title="New template" onClose={close}>
          <NewTemplate
            tenantId={tenantId}
            onDone={({ name }) => {
              toast.success(`The template ${name} was created`)
              close()
            }}
          >
            The price is per file. A later change applies to new runs only.
          </NewTemplate>
        </Dialog>
      )}
      {open?.what === 'start' && (
        <StartRunDialog tenantId={open.template.tenantId ?? tenantId} templateId={open.template.id} onClose={close} />
      )}
      {open?.what === 'archive' && <ArchiveDialog template={open.template} onClose={close} />}
    </Page>
  )
}
