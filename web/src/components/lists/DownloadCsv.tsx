import { useMutation } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import { toast } from 'react-hot-toast/headless'
import { type ListRoute, MOST_ROWS, readCsv, saveFile } from '../../api/csv.ts'
import { explain } from '../../api/problem.ts'
import { useSearch } from '../../app/router.tsx'
import { Button } from '../Button.tsx'

interface DownloadProps {
  readonly list: ListRoute
  /** The name of the file, without its ending. */
  readonly name: string
}

/** Downloads all pages of a list with the filters of the address. */
export const DownloadCsv = ({ list, name }: DownloadProps) => {
  const { text } = useSearch()
  const download = useMutation({
    mutationFn: () => readCsv(list, new URLSearchParams(text)),
    onSuccess: ({ text: csv, isCut }) => {
      saveFile(`${name}.csv`, csv)
      if (isCut) toast.error(`The file ends after ${MOST_ROWS.toLocaleString()} rows: use filters for the rest`)
    },
    onError: error => toast.error(explain(error)),
  })
  return (
    <Button
      look="quiet"
      icon={<Download aria-hidden className="size-4" />}
      busy={download.isPending}
      onClick={() => download.mutate()}
    >
      Download CSV
    </Button>
  )
}
