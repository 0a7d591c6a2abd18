import type { ReactNode } from 'react'

interface ScrollableProps {
  readonly label: string
  readonly className: string
  readonly children: ReactNode
}

/** What may be wider or longer than its place, and so can be scrolled by keyboard as well. */
export const Scrollable = ({ label, className, children }: ScrollableProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: without it nobody could scroll by keyboard
  <section tabIndex={0} aria-label={label} className={className}>
    {children}
  </section>
)
