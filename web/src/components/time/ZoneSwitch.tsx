import { useNow } from '../Time.tsx'
import { setZone, useZone, zoneName } from './clock.ts'

const MINUTE_MS = 60_000

/** Shows the zone of all times, and changes between that of the browser and UTC. */
export const ZoneSwitch = () => {
  const zone = useZone()
  const name = zoneName(useNow(MINUTE_MS), zone)
  const words = zone === 'utc' ? 'Times in UTC; switch to your zone' : `Times in your zone, ${name}; switch to UTC`
  return (
    <button
      type="button"
      onClick={() => setZone(zone === 'utc' ? 'local' : 'utc')}
      aria-label={words}
      title={words}
      className="rounded-md px-1.5 py-2 text-xs font-medium text-muted hover:bg-raised hover:text-ink"
    >
      {name}
    </button>
  )
}
