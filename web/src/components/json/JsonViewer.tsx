import { ChevronDown, ChevronRight, ChevronsDownUp, ChevronsUpDown, WrapText } from 'lucide-react'
import { type ReactNode, useDeferredValue, useMemo, useState } from 'react'
import { Button } from '../Button.tsx'
import { Scrollable } from '../lists/Scrollable.tsx'
import { byteCount } from './bytes.ts'
import { CopyButton } from './CopyButton.tsx'
import { inner, type Line, linesOf, matching, opened, shownLines } from './lines.ts'

/** A page must not freeze on a payload of megabytes: more are shown when they are asked for. */
const FIRST_LINES = 1_000
/** Smaller values need no tools. */
const FEW_LINES = 12

interface JsonViewerProps {
  readonly value: unknown
  readonly label: string
}

/** A JSON value: lists and objects can be collapsed, a line's path copied, a text searched. */
export const JsonViewer = ({ value, label }: JsonViewerProps) => {
  const text = useMemo(() => JSON.stringify(value, null, 2) ?? 'null', [value])
  const bytes = useMemo(() => new TextEncoder().encode(JSON.stringify(value) ?? 'null').length, [value])
  const lines = useMemo(() => linesOf(value), [value])
  const [collapsed, setCollapsed] = useState<ReadonlySet<number>>(new Set())
  const [isWhole, setWhole] = useState(false)
  const [wraps, setWraps] = useState(false)
  const [picked, setPicked] = useState<number | null>(null)
  const [search, setSearch] = useState('')
  const found = useMatches(lines, search)
  const shown = useMemo(() => shownLines(lines, collapsed), [lines, collapsed])
  const until = isWhole
    ? shown.length
    : Math.max(FIRST_LINES, found.includes(picked ?? -1) ? shown.indexOf(picked ?? 0) + 1 : 0)
  const hasTools = lines.length > FEW_LINES

  const toggle = (at: number): void =>
    setCollapsed(now => {
      const next = new Set(now)
      if (!next.delete(at)) next.add(at)
      return next
    })
  const goTo = (line: number): void => {
    setCollapsed(now => opened(lines, now, line))
    setPicked(line)
  }
  const goOn = (step: 1 | -1): void => {
    const at = found.indexOf(picked ?? -1)
    const to = found[(at + step + found.length) % found.length]
    if (to !== undefined) goTo(to)
  }

  return (
    <div className="relative rounded-md bg-raised">
      {hasTools && (
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1 border-b border-line px-2 py-1 pr-9 text-xs text-muted">
          <span>{`${number.format(lines.length)} lines, ${byteCount(bytes)}`}</span>
          <input
            type="search"
            value={search}
            placeholder="Search"
            aria-label={`Search in ${label}`}
            onChange={event => setSearch(event.target.value)}
            onKeyDown={event => {
              if (event.key !== 'Enter') return
              // in a form, too
              event.preventDefault()
              goOn(event.shiftKey ? -1 : 1)
            }}
            className="field h-7 min-h-0 w-36 py-0 text-xs"
          />
          {search !== '' && (
            <span role="status">
              {found.length === 0
                ? 'not found'
                : `${found.includes(picked ?? -1) ? `${found.indexOf(picked ?? -1) + 1} of ` : ''}${number.format(found.length)} ${found.length === 1 ? 'line' : 'lines'}`}
            </span>
          )}
          <Tool label="Collapse all" onClick={() => setCollapsed(inner(lines))}>
            <ChevronsDownUp aria-hidden className="size-3.5" />
          </Tool>
          <Tool label="Expand all" onClick={() => setCollapsed(new Set())}>
            <ChevronsUpDown aria-hidden className="size-3.5" />
          </Tool>
          <Tool label="Wrap lines" pressed={wraps} onClick={() => setWraps(!wraps)}>
            <WrapText aria-hidden className="size-3.5" />
          </Tool>
          {picked !== null && lines[picked] !== undefined && (
            <span className="flex min-w-0 items-center gap-1">
              <code className="truncate">{lines[picked].path || '(the whole)'}</code>
              <CopyButton text={lines[picked].path} what="path" />
            </span>
          )}
        </div>
      )}
      <Scrollable label={label} className={`overflow-auto p-3 ${hasTools ? 'max-h-96' : 'max-h-80 pr-9'}`}>
        <pre className={`font-mono text-xs leading-relaxed ${wraps ? 'whitespace-pre-wrap wrap-anywhere' : ''}`}>
          {shown.slice(0, until).map(at => (
            <Row
              key={at}
              line={lines[at] as Line}
              isCollapsed={collapsed.has(at)}
              isPicked={at === picked}
              search={search}
              onPick={hasTools ? () => setPicked(at) : undefined}
              onToggle={hasTools ? () => toggle(at) : undefined}
            />
          ))}
        </pre>
        {shown.length > until && (
          <Button onClick={() => setWhole(true)} className="mt-2">
            {`Show all ${number.format(shown.length)} lines`}
          </Button>
        )}
      </Scrollable>
      <span className="absolute top-1.5 right-1.5">
        <CopyButton text={text} what={label} />
      </span>
    </div>
  )
}

const number = new Intl.NumberFormat()

const useMatches = (lines: readonly Line[], search: string): readonly number[] => {
  const wanted = useDeferredValue(search)
  return useMemo(() => matching(lines, wanted), [lines, wanted])
}

interface RowProps {
  readonly line: Line
  readonly isCollapsed: boolean
  readonly isPicked: boolean
  readonly search: string
  readonly onPick: (() => void) | undefined
  readonly onToggle: (() => void) | undefined
}

const INDENT = '  '

const Row = ({ line, isCollapsed, isPicked, search, onPick, onToggle }: RowProps) => {
  const { text, depth, closedBy, members, path } = line
  const Chevron = isCollapsed ? ChevronRight : ChevronDown
  const close = text.endsWith('[') ? ']' : '}'
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a shortcut for the mouse; search and Enter pick a line, too
    // biome-ignore lint/a11y/noStaticElementInteractions: the same
    <span
      ref={row => {
        if (isPicked) row?.scrollIntoView?.({ block: 'nearest' })
      }}
      onClick={onPick}
      className={`relative block ${isPicked ? 'bg-accent-soft' : ''}`}
    >
      {INDENT.repeat(depth)}
      {closedBy !== undefined && onToggle !== undefined && (
        <button
          type="button"
          aria-expanded={!isCollapsed}
          aria-label={`${isCollapsed ? 'Expand' : 'Collapse'} ${path || 'all of it'}`}
          onClick={event => {
            event.stopPropagation()
            onToggle()
          }}
          className="absolute -ml-3.5 rounded text-muted hover:text-ink"
        >
          <Chevron aria-hidden className="size-3.5" />
        </button>
      )}
      <Marked text={text} search={search} />
      {isCollapsed && <span className="text-muted">{` ${number.format(members ?? 0)} … ${close}`}</span>}
    </span>
  )
}

/** The text, with what was searched marked. */
const Marked = ({ text, search }: { readonly text: string; readonly search: string }) => {
  const at = search === '' ? -1 : text.toLowerCase().indexOf(search.toLowerCase())
  // in an element of its own: hidden characters are written out there
  if (at < 0) return <span>{text}</span>
  const end = at + search.length
  return (
    <>
      {text.slice(0, at)}
      <mark className="rounded bg-warn-soft text-warn">{text.slice(at, end)}</mark>
      {text.slice(end)}
    </>
  )
}

interface ToolProps {
  readonly label: string
  readonly onClick: () => void
  readonly pressed?: boolean
  readonly children: ReactNode
}

const Tool = ({ label, onClick, pressed, children }: ToolProps) => (
  <button
    type="button"
    title={label}
    aria-label={label}
    aria-pressed={pressed}
    onClick={onClick}
    className={`rounded p-1 hover:text-ink ${pressed ? 'bg-accent-soft text-accent' : ''}`}
  >
    {children}
  </button>
)
