import { type AnchorHTMLAttributes, type MouseEvent, useMemo, useSyncExternalStore } from 'react'

const CHANGED = 'commandbus:navigated'

interface NavigateOptions {
  readonly replace?: boolean
  /** Where the user came from. Without it: the address that is left, and on the same page what it was before. */
  readonly from?: string
}

/** Goes to an address of the console, and remembers with it where the user came from. */
export const navigate = (to: string, { replace = false, from }: NavigateOptions = {}): void => {
  const depth = (history.state?.depth ?? 0) + (replace ? 0 : 1)
  const stays = replace || to.split('?')[0] === location.pathname
  const state = { depth, from: from ?? (stays ? history.state?.from : location.pathname + location.search) }
  if (replace) history.replaceState(state, '', to)
  else history.pushState(state, '', to)
  window.dispatchEvent(new Event(CHANGED))
  if (!replace) window.scrollTo(0, 0)
}

/** Whether `history.back()` stays in the console. */
export const canGoBack = (): boolean => (history.state?.depth ?? 0) > 0

const subscribe = (listener: () => void): (() => void) => {
  window.addEventListener('popstate', listener)
  window.addEventListener(CHANGED, listener)
  return () => {
    window.removeEventListener('popstate', listener)
    window.removeEventListener(CHANGED, listener)
  }
}

export const usePath = (): string => useSyncExternalStore(subscribe, () => location.pathname)

const useSearchText = (): string => useSyncExternalStore(subscribe, () => location.search)

/** The address of the page from which the user came to this one; null for one that was opened directly. */
export const useFrom = (): string | null =>
  useSyncExternalStore(subscribe, () => (typeof history.state?.from === 'string' ? history.state.from : null))

export type Patch = Readonly<Record<string, string | null | undefined>>

/** The address with some parameters of its query changed; empty ones leave it. */
const patched = (search: string, patch: Patch): string => {
  const params = new URLSearchParams(search)
  for (const [name, value] of Object.entries(patch)) {
    if (value === null || value === undefined || value === '') params.delete(name)
    else params.set(name, value)
  }
  const text = params.toString()
  return text === '' ? '' : `?${text}`
}

/** The query of the address: what the lists are filtered by. */
export const useSearch = () => {
  const text = useSearchText()
  return useMemo(() => {
    const params = new URLSearchParams(text)
    return {
      get: (name: string): string | undefined => params.get(name) ?? undefined,
      set: (patch: Patch, options?: NavigateOptions): void =>
        navigate(location.pathname + patched(location.search, patch), options),
      text,
    }
  }, [text])
}

/** The `:name` parts of a path that fits the pattern; null when it does not. */
export const matchPath = (pattern: string, path: string): Readonly<Record<string, string>> | null => {
  const [wanted, given] = [pattern.split('/'), path.replace(/(.)\/$/, '$1').split('/')]
  if (wanted.length !== given.length) return null
  const params: Record<string, string> = {}
  for (const [i, part] of wanted.entries()) {
    const value = given[i] ?? ''
    if (part.startsWith(':')) params[part.slice(1)] = decode(value)
    else if (part !== value) return null
  }
  return params
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export const Link = ({ href = '', onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement>) => (
  <a
    {...rest}
    href={href}
    onClick={(event: MouseEvent<HTMLAnchorElement>) => {
      onClick?.(event)
      if (event.defaultPrevented || event.button !== 0) return
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
      event.preventDefault()
      navigate(href)
    }}
  />
)

export const commandPath = (domain: string, commandId: string): string =>
  `/commands/${encodeURIComponent(domain)}/${encodeURIComponent(commandId)}`
