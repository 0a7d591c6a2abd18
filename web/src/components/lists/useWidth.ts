import { type RefObject, useLayoutEffect, useState } from 'react'

/** How wide an element is, in pixels, without its padding; `usual` until it is known. */
export const useWidth = (ref: RefObject<Element | null>, usual: number): number => {
  const [width, setWidth] = useState(usual)
  useLayoutEffect(() => {
    const element = ref.current
    if (element === null || typeof ResizeObserver === 'undefined') return
    const observer = new ResizeObserver(entries => {
      const now = entries[0]?.contentRect.width ?? 0
      if (now > 0) setWidth(Math.round(now))
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [ref])
  return width
}
