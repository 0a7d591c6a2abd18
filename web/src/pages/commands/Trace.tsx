import { CopyButton } from '../../components/Json.tsx'
import { Scrollable } from '../../components/lists/Scrollable.tsx'

interface Cause {
  readonly kind: string
  readonly depth: number
  readonly code: string
  readonly message: string
  readonly stack?: string | undefined
}

interface Traced {
  readonly error_stack?: string
  readonly error_causes?: readonly Cause[]
}

/** Splits the details of an audit entry into the stack of its error, as text (null: not recorded), and the rest. */
export const splitTrace = (details: unknown): { readonly rest: unknown; readonly trace: string | null } => {
  if (typeof details !== 'object' || details === null) return { rest: details, trace: null }
  const { error_stack, error_causes, ...rest } = details as Traced
  return { rest, trace: traceOf(error_stack, error_causes) }
}

/** The stacks of an error and of its causes, as text; null: not recorded. */
export const traceOf = (stack: string | undefined, causes: readonly Cause[] = []): string | null => {
  const parts = [...(stack === undefined ? [] : [stack]), ...causes.map(causeText)]
  return parts.length === 0 ? null : parts.join('\n')
}

const causeText = ({ kind, depth, code, message, stack }: Cause): string => {
  const frames = stack?.split('\n').slice(1) ?? []
  return [`${kind} ${code}: ${message}`, ...frames].map(line => `${'  '.repeat(depth)}${line}`).join('\n')
}

/** A frame of a package or of Node itself: hardly ever where the fault is. */
const OF_A_PACKAGE = /^\s+at .*(?:node_modules\/|\(?node:|\(<anonymous>\)$)/

interface Part {
  readonly folded: boolean
  readonly lines: readonly string[]
}

/** The lines, with neighbors of packages together. */
const partsOf = (text: string): readonly Part[] => {
  const parts: { readonly folded: boolean; readonly lines: string[] }[] = []
  for (const line of text.split('\n')) {
    const folded = OF_A_PACKAGE.test(line)
    const last = parts.at(-1)
    if (last?.folded === folded) last.lines.push(line)
    else parts.push({ folded, lines: [line] })
  }
  return parts
}

/** Where an error was thrown, and what caused it. Frames of packages are folded; the copy has all of them. */
export const Trace = ({ text }: { readonly text: string }) => {
  const parts = partsOf(text)
  return (
    <div className="relative">
      <Scrollable label="Stack and causes" className="max-h-80 overflow-auto rounded-md bg-raised p-3 pr-9">
        <pre className="font-mono text-xs leading-relaxed">
          {parts.map(({ folded, lines }, i) => {
            const end = i < parts.length - 1 ? '\n' : ''
            return folded ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text never move
              <details key={i} className="text-muted">
                <summary>{`${lines.length} ${lines.length === 1 ? 'frame' : 'frames'} of packages`}</summary>
                {lines.join('\n')}
              </details>
            ) : (
              // biome-ignore lint/suspicious/noArrayIndexKey: the same
              <span key={i}>{`${lines.join('\n')}${parts[i + 1]?.folded ? '' : end}`}</span>
            )
          })}
        </pre>
      </Scrollable>
      <span className="absolute top-1.5 right-1.5">
        <CopyButton text={text} what="stack" />
      </span>
    </div>
  )
}
