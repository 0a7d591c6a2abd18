import { commandPath, Link } from '../app/router.tsx'
import { CopyButton } from './Json.tsx'

interface CommandLinkProps {
  readonly domain: string
  readonly commandId: string
  readonly commandType: string
  /** A row of a list, which j and k move through. */
  readonly row?: boolean
  /** In a dense list: one line from 1280 px, with a short id that can be copied. */
  readonly dense?: boolean
}

const HEAD = 8
const TAIL = 8

/** An id in one line: its middle is shown where there is room. The whole one is found by search, copied, and in the tooltip. */
const ShortId = ({ id }: { readonly id: string }) => (
  <span title={id}>
    {id.slice(0, HEAD)}
    <span className="hidden md:inline xl:hidden 2xl:inline">{id.slice(HEAD, -TAIL)}</span>
    <span className="before:content-['…'] md:before:content-none xl:before:content-['…'] 2xl:before:content-none">
      {id.slice(Math.max(HEAD, id.length - TAIL))}
    </span>
  </span>
)

/** The type and the id of a command; both break anywhere in narrow places, so that the columns beside them stay in sight. */
export const CommandLink = ({ domain, commandId, commandType, row = true, dense = false }: CommandLinkProps) => {
  if (!dense) {
    return (
      <Link
        href={commandPath(domain, commandId)}
        data-row={row ? '' : undefined}
        className="group block min-w-36 rounded text-left md:min-w-80 focus-visible:outline-offset-4"
      >
        <span className="font-medium text-accent wrap-anywhere group-hover:underline">{commandType}</span>
        <span className="block text-xs text-muted">
          {domain} · <span className="font-mono wrap-anywhere md:whitespace-nowrap">{commandId}</span>
        </span>
      </Link>
    )
  }
  return (
    <div className="flex items-baseline gap-1">
      <Link
        href={commandPath(domain, commandId)}
        data-row={row ? '' : undefined}
        className="group block min-w-36 rounded text-left md:min-w-80 xl:flex xl:min-w-0 xl:items-baseline xl:gap-3"
      >
        <span
          title={commandType}
          className="font-medium text-accent wrap-anywhere group-hover:underline xl:w-48 xl:shrink-0 xl:truncate 2xl:w-72"
        >
          {commandType}
        </span>
        <span className="block text-xs text-muted xl:flex xl:gap-3">
          <span title={domain} className="xl:w-24 xl:truncate 2xl:w-40">
            {domain}
          </span>
          <span aria-hidden className="xl:hidden">
            {' · '}
          </span>
          <span className="font-mono wrap-anywhere md:whitespace-nowrap">
            <ShortId id={commandId} />
          </span>
        </span>
      </Link>
      <span className="-my-1 hidden opacity-0 focus-within:opacity-100 group-hover/row:opacity-100 xl:inline">
        <CopyButton text={commandId} what={`id ${commandId}`} />
      </span>
    </div>
  )
}
