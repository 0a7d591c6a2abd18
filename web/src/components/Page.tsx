import { type ReactNode, useEffect, useRef } from 'react'
import { visible } from '../../../src/domain/visible-text.ts'

let first = true

interface PageProps {
  readonly title: string
  readonly children: ReactNode
  /** Beside the title. */
  readonly aside?: ReactNode
  /** How much there is to do: shown in the title of the tab. */
  readonly count?: number | undefined
  readonly intro?: ReactNode
}

/** A page with its heading, which gets the focus after navigation, so that screen readers read it. */
export const Page = ({ title, aside, intro, count = 0, children }: PageProps) => {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (!first) heading.current?.focus({ preventScroll: true })
    first = false
  }, [])
  useEffect(() => {
    document.title = visible(`${count > 0 ? `(${count}) ` : ''}${title} · commandbus`)
  }, [title, count])
  return (
    <div className="grid min-w-0 gap-4 xl:gap-3">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2">
        <div className="min-w-0">
          <h1 ref={heading} tabIndex={-1} className="text-xl font-semibold wrap-anywhere">
            {title}
          </h1>
          {intro && <p className="mt-0.5 max-w-prose text-sm text-muted xl:max-w-none">{intro}</p>}
        </div>
        {aside && <div className="flex flex-wrap items-center gap-2">{aside}</div>}
      </div>
      {children}
    </div>
  )
}

interface SectionProps {
  readonly title: string
  readonly aside?: ReactNode
  readonly children: ReactNode
}

export const Section = ({ title, aside, children }: SectionProps) => (
  <section aria-label={title} className="card min-w-0 overflow-hidden">
    <div className="flex min-h-11 flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-2">
      <h2 className="text-sm font-semibold">{title}</h2>
      {aside}
    </div>
    {children}
  </section>
)
