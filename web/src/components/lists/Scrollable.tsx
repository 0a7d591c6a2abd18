import type { ReactNode } from 'react'

interface ScrollableProps {
  readonly label: string
  readonly className: string
  readonly children: ReactNode
}

/** Content that may be larger than its place; it can be scrolled by keyboard, too. */
export const Scrollable = ({ label, className, children }: ScrollableProps) => (
  // biome-ignore lint/a11y/useSemanticElements: a landmark in the section of the same name would be one too many
  // biome-ignore lint/a11y/noNoninteractiveTabindex: without it nobody could scroll by keyboard
  <div role="group" tabIndex={0} aria-label={label} className={className}>
    {children}
  </div>
)
