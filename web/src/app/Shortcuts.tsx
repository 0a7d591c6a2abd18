import { Keyboard } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { Dialog } from '../components/Dialog.tsx'
import { useLive } from './LiveProvider.tsx'
import { usePlaces } from './navigation.ts'
import { navigate } from './router.tsx'
import { SEARCH_BOX } from './SearchBox.tsx'

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** Moves the focus through the rows of a list. */
const moveRow = (step: 1 | -1): void => {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')]
  const now = rows.indexOf(document.activeElement as HTMLElement)
  const next = rows[now < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(now + step, 0), rows.length - 1)]
  next?.focus()
}

/** Presses the button of the page that names this key. */
const press = (key: string): boolean => {
  const buttons = [...document.querySelectorAll<HTMLElement>('[data-shortcut]')]
  const button = buttons.find(({ dataset }) => dataset.shortcut === key)
  button?.click()
  return button !== undefined
}

/** Ticks or unticks the row that has the focus. */
const tickRow = (): void => {
  document.activeElement?.closest('tr')?.querySelector<HTMLInputElement>('input[type=checkbox]')?.click()
}

const LEADER_MS = 1_500

export const Shortcuts = () => {
  const [open, setOpen] = useState(false)
  const places = usePlaces()
  const { togglePause } = useLive()
  const leader = useRef(0)

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return
      if (document.querySelector('dialog[open]') !== null) return
      const led = Date.now() - leader.current < LEADER_MS
      leader.current = 0
      const place = led ? places.find(({ key }) => key === event.key) : undefined
      if (place !== undefined) navigate(place.href)
      else if (event.key === 'g') leader.current = Date.now()
      else if (event.key === '?') setOpen(true)
      else if (event.key === '/') document.getElementById(SEARCH_BOX)?.focus()
      else if (event.key === '.') togglePause()
      else if (press(event.key)) event.preventDefault()
      else if (event.key === 'j') moveRow(1)
      else if (event.key === 'k') moveRow(-1)
      else if (event.key === 'x') tickRow()
      else return
      if (event.key !== 'g') event.preventDefault()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [places, togglePause])

  const keys: readonly (readonly [string, string])[] = [
    ['?', 'This sheet'],
    ['/', 'Search'],
    ['.', 'Pause or resume updates'],
    ['j k', 'Next or previous row, or command of the list'],
    ['Enter', 'Open the row'],
    ['x', 'Select the row'],
    ['r e c', 'On a command: retry, edit and retry, cancel'],
    ['Esc', 'Close a dialog'],
    ...places.map(({ key, label }) => [`g ${key}`, label] as const),
  ]
  return (
    <>
      <button
        type="button"
        onClick={() => setOpen(true)}
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
        className="hidden rounded-md p-2 text-muted hover:bg-raised hover:text-ink sm:block"
      >
        <Keyboard aria-hidden className="size-4" />
      </button>
      {open && (
        <Dialog title="Keyboard shortcuts" onClose={() => setOpen(false)}>
          <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-2">
            {keys.map(([key, does]) => (
              <div key={key} className="contents">
                <dt>
                  {key.split(' ').map(part => (
                    <kbd
                      key={part}
                      className="mr-1 rounded border border-line bg-raised px-1.5 py-0.5 font-mono text-xs"
                    >
                      {part}
                    </kbd>
                  ))}
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </Dialog>
      )}
    </>
  )
}
