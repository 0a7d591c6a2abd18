import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import { createLive, type Live, type LiveState } from '../api/live.ts'

const LiveContext = createContext<Live | null>(null)

export const LiveProvider = ({ children }: { readonly children: ReactNode }) => {
  const queries = useQueryClient()
  const [live] = useState(() => createLive(queries))
  useEffect(() => live.start(), [live])
  return <LiveContext value={live}>{children}</LiveContext>
}

const still: LiveState = { mode: 'polling', missed: 0, asOf: null }
const never = (): (() => void) => () => undefined

/** How fresh the page is; outside the provider nothing is live. */
export const useLive = (): LiveState & { readonly togglePause: () => void } => {
  const live = useContext(LiveContext)
  const state = useSyncExternalStore(live?.subscribe ?? never, live?.get ?? (() => still))
  return { ...state, togglePause: live?.togglePause ?? (() => undefined) }
}

/** How often to reload what changes without an event, such as ages and queue depths; false while paused. */
export const useRefresh = (ms: number): number | false => (useLive().mode === 'paused' ? false : ms)
