import { useQuery } from '@tanstack/react-query'
import { LogOut, Monitor, Moon, Sun } from 'lucide-react'
import { type ReactNode, useId, useLayoutEffect, useRef, useState } from 'react'
import { statsQuery } from '../api/queries.ts'
import { signOut, useSessionState } from '../api/session.ts'
import { ZoneSwitch } from '../components/time/ZoneSwitch.tsx'
import { LiveIndicator } from './LiveIndicator.tsx'
import { isAt, TROUBLESHOOTING, useMarkedPath, usePlaces } from './navigation.ts'
import { Link } from './router.tsx'
import { SearchBox } from './SearchBox.tsx'
import { Shortcuts } from './Shortcuts.tsx'
import { setTheme, type Theme, useTheme } from './theme.ts'
import { WhoAmI } from './WhoAmI.tsx'

const nextTheme: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' }
const themeIcons = { system: Monitor, light: Sun, dark: Moon } as const

const ThemeSwitch = () => {
  const theme = useTheme()
  const Icon = themeIcons[theme]
  return (
    <button
      type="button"
      onClick={() => setTheme(nextTheme[theme])}
      aria-label={`Theme: ${theme}; switch to ${nextTheme[theme]}`}
      title={`Theme: ${theme}`}
      className="rounded-md p-2 text-muted hover:bg-raised hover:text-ink"
    >
      <Icon aria-hidden className="size-4" />
    </button>
  )
}

const compact = new Intl.NumberFormat('en', { notation: 'compact' })

/** How many commands wait for an operator, shown on every page. */
const Waiting = ({ id }: { readonly id: string }) => {
  const { data } = useQuery({ ...statsQuery(), staleTime: 30_000 })
  const waiting = data?.total.IN_TROUBLESHOOTING_QUEUE ?? 0
  if (waiting === 0) return null
  return (
    <span
      id={id}
      aria-hidden
      title={`${waiting} waiting`}
      className="relative ml-auto rounded-full bg-warn-soft px-1.5 py-0.5 text-xs font-semibold text-warn tabular-nums"
    >
      {compact.format(waiting)}
      <span className="sr-only"> waiting</span>
    </span>
  )
}

const Navigation = () => {
  const path = useMarkedPath()
  const places = usePlaces()
  const waiting = useId()
  const nav = useRef<HTMLElement>(null)
  const current = places.find(({ href }) => isAt(path, href))?.href
  // on a phone the places are one line, which is longer than the window: the current one is moved into view
  useLayoutEffect(() => {
    const bar = nav.current
    const link = bar?.querySelector<HTMLElement>(`a[href="${current}"]`)
    if (!bar || !link) return
    const center = (): void => {
      bar.scrollLeft = link.offsetLeft - (bar.clientWidth - link.offsetWidth) / 2
    }
    center()
    if (typeof ResizeObserver === 'undefined' || bar.firstElementChild === null) return
    // a count that arrives later moves the places after it
    const observer = new ResizeObserver(center)
    observer.observe(bar.firstElementChild)
    return () => observer.disconnect()
  }, [current])
  return (
    <nav
      ref={nav}
      aria-label="Main"
      className="relative overflow-x-auto mask-r-from-[calc(100%-2rem)] lg:overflow-visible lg:mask-none"
    >
      <ul className="flex w-max gap-1 pr-8 lg:w-auto lg:flex-col lg:pr-0">
        {places.map(({ href, label, icon: Icon }) => {
          const here = href === current
          return (
            <li key={href}>
              <Link
                href={href}
                aria-current={here ? 'page' : undefined}
                aria-describedby={href === TROUBLESHOOTING ? waiting : undefined}
                className={`flex items-center gap-2.5 rounded-md px-3 py-1.5 text-sm font-medium whitespace-nowrap ${here ? 'bg-accent-soft text-accent' : 'text-muted hover:bg-raised hover:text-ink'}`}
              >
                <Icon aria-hidden className="size-4 shrink-0" />
                {label}
                {href === TROUBLESHOOTING && <Waiting id={waiting} />}
              </Link>
            </li>
          )
        })}
      </ul>
    </nav>
  )
}

/** The frame of every page. */
export const Shell = ({ children }: { readonly children: ReactNode }) => {
  const { session } = useSessionState()
  const [who, setWho] = useState(false)
  return (
    <div className="grid min-h-dvh grid-cols-[minmax(0,1fr)] grid-rows-[auto_auto_1fr] lg:grid-cols-[14.5rem_minmax(0,1fr)] lg:grid-rows-[auto_1fr]">
      <a
        href="#main"
        className="sr-only z-50 rounded bg-accent-fill px-3 py-2 text-white focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the page
      </a>
      <header className="z-30 flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-canvas px-4 py-2 sm:sticky sm:top-0 lg:col-span-2">
        <Link href="/" className="mr-auto text-base font-bold tracking-tight lg:mr-0 lg:w-50">
          command<span className="text-accent">bus</span>
        </Link>
        <div className="order-last w-full sm:order-none sm:w-auto sm:max-w-md sm:flex-1">
          <SearchBox />
        </div>
        <div className="flex items-center gap-1 sm:ml-auto">
          <LiveIndicator />
          <ZoneSwitch />
          <ThemeSwitch />
          <Shortcuts />
          <button
            type="button"
            onClick={() => setWho(true)}
            className="max-w-40 truncate rounded-md px-2 py-1.5 text-sm font-medium hover:bg-raised"
          >
            <span className="sr-only">Signed in as </span>
            {session?.subject}
          </button>
          <button
            type="button"
            onClick={() => signOut()}
            aria-label="Sign out"
            title="Sign out"
            className="rounded-md p-2 text-muted hover:bg-raised hover:text-ink"
          >
            <LogOut aria-hidden className="size-4" />
          </button>
        </div>
      </header>
      <div className="border-b border-line px-2 py-2 lg:border-0 lg:px-3 lg:py-4">
        <div className="lg:sticky lg:top-16">
          <Navigation />
        </div>
      </div>
      <main id="main" tabIndex={-1} className="min-w-0 p-4 pb-16 outline-none lg:pl-2">
        {children}
      </main>
      {who && session && <WhoAmI session={session} onClose={() => setWho(false)} />}
    </div>
  )
}
