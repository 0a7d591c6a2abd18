import { byteCount } from './json/bytes.ts'
import { JsonViewer } from './json/JsonViewer.tsx'

export { CopyButton } from './json/CopyButton.tsx'
export { byteCount }

export const Json = JsonViewer

export const Mono = ({ children }: { readonly children: string }) => (
  <span className="font-mono text-[0.8125rem] wrap-anywhere">{children}</span>
)

interface BeginningProps {
  readonly bytes: number
  readonly preview?: string | undefined
}

/** The beginning and the size of a value that was too large for the response. */
export const Beginning = ({ bytes, preview = '' }: BeginningProps) => (
  <div className="grid gap-1" data-testid="beginning">
    <pre className="rounded-md bg-raised p-3 font-mono text-xs whitespace-pre-wrap wrap-anywhere">{preview} …</pre>
    <p className="text-xs text-muted">The beginning of {byteCount(bytes)}.</p>
  </div>
)
