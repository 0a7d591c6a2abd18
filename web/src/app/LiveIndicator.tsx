import { Pause, Play } from 'lucide-react'
import type { LiveMode } from '../api/live.ts'
import { clockText, useZone } from '../components/time/clock.ts'
import { useLive } from './LiveProvider.tsx'

const words: Readonly<Record<LiveMode, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  polling: 'Polling',
  paused: 'Paused',
  offline: 'Offline',
}

const dots: Readonly<Record<LiveMode, string>> = {
  connecting: 'bg-muted',
  live: 'bg-chart-ok',
  polling: 'bg-chart-warn',
  paused: 'bg-muted',
  offline: 'bg-chart-bad',
}

const explanations: Readonly<Record<LiveMode, string>> = {
  connecting: 'Connecting to the event stream',
  live: 'Changes appear as they happen',
  polling: 'No event stream now: the page reloads its data every few seconds',
  paused: 'No updates until you resume',
  offline: 'The server does not answer; trying again',
}

/** How fresh the page is, and the switch that pauses its updates. */
export const LiveIndicator = () => {
  const { mode, missed, asOf, togglePause } = useLive()
  const zone = useZone()
  const paused = mode === 'paused'
  return (
    <div className="flex items-center gap-1 text-xs text-muted">
      <span
        role="status"
        data-testid="live"
        data-mode={mode}
        title={explanations[mode]}
        className="flex items-center gap-1.5"
      >
        <span aria-hidden className={`size-2 rounded-full ${dots[mode]}`} />
        <span className="font-medium text-ink">{words[mode]}</span>
        {paused && missed > 0 && <span>{missed} new</span>}
      </span>
      {asOf !== null && (
        <span className="hidden whitespace-nowrap md:inline">
          · data as of <time dateTime={new Date(asOf).toISOString()}>{clockText(asOf, zone)}</time>
        </span>
      )}
      <button
        type="button"
        onClick={togglePause}
        aria-label={paused ? 'Resume updates' : 'Pause updates'}
        title={paused ? 'Resume updates' : 'Pause updates'}
        className="rounded-md p-2 hover:bg-raised hover:text-ink"
      >
        {paused ? <Play aria-hidden className="size-3.5" /> : <Pause aria-hidden className="size-3.5" />}
      </button>
    </div>
  )
}
