const LOOK_EVERY_MS = 250

/**
 * Calls `onGone` when the process that started this one is gone. Only under `npm start`: npm cannot tell its child when
 * it is killed, and nobody would know of the service that it leaves behind. Elsewhere a parent may go without meaning it
 * (a shell that started the service in the background).
 */
export const watchParent = (env: { readonly [name: string]: string | undefined }, onGone: () => void): (() => void) => {
  if (env.npm_lifecycle_event !== 'start') return () => {}
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    onGone()
  }, LOOK_EVERY_MS).unref()
  return () => clearInterval(timer)
}
