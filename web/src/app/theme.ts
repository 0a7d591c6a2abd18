import { useSyncExternalStore } from 'react'

/** `system` follows the operating system. */
export type Theme = 'system' | 'light' | 'dark'

const KEY = 'commandbus.theme'
const themes: readonly Theme[] = ['system', 'light', 'dark']
const listeners = new Set<() => void>()

const stored = (): Theme => themes.find(theme => theme === localStorage.getItem(KEY)) ?? 'system'

const apply = (theme: Theme): void => {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

export const startTheme = (): void => apply(stored())

export const setTheme = (theme: Theme): void => {
  localStorage.setItem(KEY, theme)
  apply(theme)
  for (const listener of listeners) listener()
}

export const useTheme = (): Theme =>
  useSyncExternalStore(listener => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }, stored)
