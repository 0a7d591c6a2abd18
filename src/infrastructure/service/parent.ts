const LOOK_EVERY_MS = 250

/**
 * Calls `onGone` when the parent process is gone. Only under `npm start`: a killed npm cannot notify its child, which would run
 * on unnoticed. Elsewhere the end of the parent means nothing, such as that of a shell which started the service in the
 * background.
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
