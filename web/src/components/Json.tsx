import { Check, Copy } from 'lucide-react'
import { useState } from 'react'
import { Scrollable } from './lists/Scrollable.tsx'

export const CopyButton = ({ text, what }: { readonly text: string; readonly what: string }) => {
  const [copied, setCopied] = useState(false)
  // browsers have no clipboard on pages that are not served securely
  if (navigator.clipboard === undefined) return null
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 1_500)
  }
  return (
    <button
      type="button"
      onClick={copy}
      aria-label={copied ? `Copied ${what}` : `Copy ${what}`}
      className="rounded p-1 align-middle text-muted hover:bg-raised hover:text-ink"
    >
      {copied ? <Check aria-hidden className="size-3.5" /> : <Copy aria-hidden className="size-3.5" />}
    </button>
  )
}

/** Longer ones are cut: a page must not freeze on a payload of megabytes. The copy is complete. */
const LONGEST = 50_000

/** A size as people read it: `1,024 KB`. */
export const byteCount = (bytes: number): string => `${new Intl.NumberFormat().format(Math.ceil(bytes / 1_000))} KB`

export const Json = ({ value, label }: { readonly value: unknown; readonly label: string }) => {
  const text = JSON.stringify(value, null, 2) ?? 'null'
  return (
    <div className="relative">
      <Scrollable label={label} className="max-h-80 overflow-auto rounded-md bg-raised p-3 pr-9">
        <pre className="font-mono text-xs leading-relaxed">
          {text.length > LONGEST ? `${text.slice(0, LONGEST)}\n… ${text.length - LONGEST} more characters` : text}
        </pre>
      </Scrollable>
      <span className="absolute top-1.5 right-1.5">
        <CopyButton text={text} what={label} />
      </span>
    </div>
  )
}

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
