import { commandPath, Link } from '../app/router.tsx'

interface CommandLinkProps {
  readonly domain: string
  readonly commandId: string
  readonly commandType: string
  /** A row of a list, which j and k move through. */
  readonly row?: boolean
}

/** The type and the id of a command; both break anywhere in narrow places, so that the columns beside them stay in sight. */
export const CommandLink = ({ domain, commandId, commandType, row = true }: CommandLinkProps) => (
  <Link
    href={commandPath(domain, commandId)}
    data-row={row ? '' : undefined}
    className="group block min-w-36 rounded text-left md:min-w-80 focus-visible:outline-offset-4"
  >
    <span className="font-medium text-accent wrap-anywhere group-hover:underline">{commandType}</span>
    <span className="block text-xs text-muted">
      {domain} · <span className="font-mono wrap-anywhere">{commandId}</span>
    </span>
  </Link>
)
