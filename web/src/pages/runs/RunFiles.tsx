import type { RunFile } from '../../api/client.ts'
import { useSearch } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { SelectFilter } from '../../components/lists/Filters.tsx'
import { Table } from '../../components/lists/Table.tsx'
import { Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { FileBadge, fileOptions, files as filesText } from './words.tsx'

const SHOWN = 100

/** Files come with the run, up to 10,000: a page of them at a time. */
export const RunFiles = ({ files }: { readonly files: readonly RunFile[] }) => {
  const search = useSearch()
  const status = search.get('file')
  const fitting = status === undefined ? files : files.filter(file => file.status === status)
  const pages = Math.max(Math.ceil(fitting.length / SHOWN), 1)
  const page = Math.min(Math.max(Number(search.get('page') ?? 1) || 1, 1), pages)
  const shown = fitting.slice((page - 1) * SHOWN, page * SHOWN)
  return (
    <>
      <div className="max-w-56 p-3">
        <SelectFilter name="file" label="File status" options={fileOptions} />
      </div>
      {shown.length === 0 ? (
        <Empty title="No files with this status" />
      ) : (
        <Table
          label="Files"
          rows={shown}
          keyOf={({ index }) => String(index)}
          columns={[
            { title: '#', numeric: true, from: 'sm', cell: ({ index }) => index + 1 },
            {
              title: 'File',
              cell: ({ fileName, errorCode, errorMessage }) => (
                <>
                  <span className="font-medium wrap-anywhere">{fileName}</span>
                  {errorMessage !== null && (
                    <span className="block text-xs text-muted wrap-anywhere">
                      {errorCode}: {errorMessage}
                    </span>
                  )}
                </>
              ),
            },
            { title: 'Status', cell: ({ status }) => <FileBadge status={status} /> },
            { title: 'Retries', numeric: true, from: 'sm', cell: ({ retryAttempt }) => retryAttempt },
            { title: 'Last retried', from: 'md', cell: ({ lastRetriedAt }) => <Ago at={lastRetriedAt} /> },
          ]}
        />
      )}
      {pages > 1 && (
        <nav
          aria-label="Pages of files"
          className="flex items-center justify-between gap-2 border-t border-line px-4 py-2"
        >
          <span className="text-xs text-muted">
            page {page} of {pages}, {filesText(fitting.length)}
          </span>
          <span className="flex gap-1">
            <Button look="quiet" disabled={page === 1} onClick={() => search.set({ page: String(page - 1) })}>
              Previous
            </Button>
            <Button look="quiet" disabled={page === pages} onClick={() => search.set({ page: String(page + 1) })}>
              Next
            </Button>
          </span>
        </nav>
      )}
    </>
  )
}
