import { CopyButton } from '../../components/Json.tsx'
import { Scrollable } from '../../components/lists/Scrollable.tsx'

interface Cause {
  readonly kind: string
  readonly depth: number
  readonly code: string
  readonly message: string
  readonly stack?: string
}

interface Traced {
  readonly error_stack?: string
  readonly error_causes?: readonly Cause[]
}

/** Splits the details of an audit entry into the stack of its error, as text (null: not recorded), and the rest. */
export const splitTrace = (details: unknown): { readonly rest: unknown; readonly trace: string | null } => {
  if (typeof details !== 'object' || details === null) return { rest: details, trace: null }
  const { error_stack, error_causes = [], ...rest } = details as Traced
  const parts = [...(error_stack === undefined ? [] : [error_stack]), ...error_causes.map(causeText)]
  return { rest, trace: parts.length === 0 ? null : parts.join('\n') }
}

const causeText = ({ kind, depth, code, message, stack }: Cause): string => {
  const frames = stack?.split('\n').slice(1) ?? []
  return [`${kind} ${code}: ${message}`, ...frames].map(line => `${'  '.repeat(depth)}${line}`).join('\n')
}

/** Where an error was thrown, and what caused it. */
export const Trace = ({ text }: { readonly text: string }) => (
  <div className="relative">
    <Scrollable label="Stack and causes" className="max-h-80 overflow-auto rounded-md bg-raised p-3 pr-9">
      <pre className="font-mono text-xs leading-relaxed">{text}</pre>
    </Scrollable>
    <span className="absolute top-1.5 right-1.5">
      <CopyButton text={text} what="stack" />
    </span>
  </div>
)
