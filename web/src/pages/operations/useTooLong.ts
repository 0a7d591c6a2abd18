import { useEffect, useState } from 'react'

const EXPECTED_MS = 30_000

/** True once something has been running for longer than people expect. */
export const useTooLong = (running: boolean, since: string | undefined): boolean => {
  const [late, setLate] = useState(false)
  useEffect(() => {
    setLate(false)
    if (!running || since === undefined) return
    const passed = Math.min(Math.max(Date.now() - Date.parse(since), 0), EXPECTED_MS)
    const timer = setTimeout(() => setLate(true), EXPECTED_MS - passed)
    return () => clearTimeout(timer)
  }, [running, since])
  return running && late
}
