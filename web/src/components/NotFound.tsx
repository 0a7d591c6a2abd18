import type { ReactNode } from 'react'
import { Link } from '../app/router.tsx'
import { Page } from './Page.tsx'
import { Empty } from './states.tsx'

interface NotFoundProps {
  readonly title: string
  readonly why: string
  /** Where to look instead. */
  readonly href: string
  readonly instead: string
  readonly children?: ReactNode
}

/** A page about something that is not there. */
export const NotFound = ({ title, why, href, instead, children }: NotFoundProps) => (
  <Page title={title}>
    <div className="card">
      <Empty title={why}>
        {children}
        <Link href={href} className="text-accent underline">
          {instead}
        </Link>
      </Empty>
    </div>
  </Page>
)
