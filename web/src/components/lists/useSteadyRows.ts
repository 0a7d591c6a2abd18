import { type RefCallback, useCallback, useEffect, useRef, useState } from 'react'

export interface Steady<Row> {
  readonly rows: readonly Row[]
  /** How many rows came since, and which ones went: both are held back. */
  readonly fresh: number
  readonly gone: ReadonlySet<string>
  readonly show: () => void
  /** Of the element in which pointer and focus hold the rows. */
  readonly ref: RefCallback<HTMLElement>
}

interface Held<Row> {
  readonly list: string
  readonly rows: readonly Row[]
}

/**
 * While the pointer or the focus is in a list, its rows keep their places: what is under the pointer stays there, with its
 * newest content. `list` names what is listed, so that another page or filter shows its rows at once.
 */
export const useSteadyRows = <Row>(rows: readonly Row[], keyOf: (row: Row) => string, list: string): Steady<Row> => {
  const [held, setHeld] = useState(false)
  const [kept, setKept] = useState<Held<Row>>({ list, rows })
  const checkFocus = useRef<() => void>(() => {})
  const ref = useCallback((element: HTMLElement | null) => {
    if (element === null) return
    let [pointer, focus] = [false, false]
    const within = (patch: { pointer?: boolean; focus?: boolean }): void => {
      pointer = patch.pointer ?? pointer
      focus = patch.focus ?? focus
      setHeld(pointer || focus)
    }
    // a finger that scrolls is not a pointer that rests
    const enter = ({ pointerType }: PointerEvent) => pointerType !== 'touch' && within({ pointer: true })
    const leave = () => within({ pointer: false })
    const focusIn = () => within({ focus: true })
    const focusOut = ({ relatedTarget }: FocusEvent) =>
      within({ focus: relatedTarget instanceof Node && element.contains(relatedTarget) })
    // a row that had the focus and is gone does not say so
    checkFocus.current = () => void (focus && within({ focus: element.contains(document.activeElement) }))
    element.addEventListener('pointerenter', enter)
    element.addEventListener('pointerleave', leave)
    element.addEventListener('focusin', focusIn)
    element.addEventListener('focusout', focusOut)
    return () => {
      element.removeEventListener('pointerenter', enter)
      element.removeEventListener('pointerleave', leave)
      element.removeEventListener('focusin', focusIn)
      element.removeEventListener('focusout', focusOut)
      setHeld(false)
    }
  }, [])

  // biome-ignore lint/correctness/useExhaustiveDependencies: after each change of the rows
  useEffect(() => checkFocus.current(), [rows, list])

  const holds = held && kept.list === list
  const show = (): void => setKept({ list, rows })
  if (!holds && (kept.rows !== rows || kept.list !== list)) show()
  if (!holds) return { rows, fresh: 0, gone: new Set(), show, ref }
  const newest = new Map(rows.map(row => [keyOf(row), row]))
  const keys = kept.rows.map(keyOf)
  const places = new Set(keys)
  return {
    rows: kept.rows.map((row, i) => newest.get(keys[i] ?? '') ?? row),
    fresh: rows.filter(row => !places.has(keyOf(row))).length,
    gone: new Set(keys.filter(key => !newest.has(key))),
    show,
    ref,
  }
}
