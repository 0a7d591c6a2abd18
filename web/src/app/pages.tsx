import { type ReactNode, useEffect } from 'react'
import { NotFound } from '../components/NotFound.tsx'
import { AlertsPage } from '../pages/alerts/AlertsPage.tsx'
import { SentPage } from '../pages/alerts/SentPage.tsx'
import { AuditPage } from '../pages/audit/AuditPage.tsx'
import { CommandPage } from '../pages/commands/CommandPage.tsx'
import { CommandsPage } from '../pages/commands/CommandsPage.tsx'
import { LanesPage } from '../pages/lanes/LanesPage.tsx'
import { OperationPage } from '../pages/operations/OperationPage.tsx'
import { OperationsPage } from '../pages/operations/OperationsPage.tsx'
import { OverviewPage } from '../pages/overview/OverviewPage.tsx'
import { QueuePage } from '../pages/queues/QueuePage.tsx'
import { QueuesPage } from '../pages/queues/QueuesPage.tsx'
import { CreditsPage } from '../pages/runs/CreditsPage.tsx'
import { RunPage } from '../pages/runs/RunPage.tsx'
import { RunsPage } from '../pages/runs/RunsPage.tsx'
import { TemplatesPage } from '../pages/runs/TemplatesPage.tsx'
import { SchedulesPage } from '../pages/schedules/SchedulesPage.tsx'
import { SearchPage } from '../pages/search/SearchPage.tsx'
import { ActionPage } from '../pages/troubleshooting/actions/ActionPage.tsx'
import { ActionsPage } from '../pages/troubleshooting/actions/ActionsPage.tsx'
import { OwedPage } from '../pages/troubleshooting/OwedPage.tsx'
import { RepliesPage } from '../pages/troubleshooting/RepliesPage.tsx'
import { StrangersPage } from '../pages/troubleshooting/StrangersPage.tsx'
import { TroubleshootingPage } from '../pages/troubleshooting/TroubleshootingPage.tsx'
import { TypePage } from '../pages/types/TypePage.tsx'
import { TypesPage } from '../pages/types/TypesPage.tsx'
import { WorkersPage } from '../pages/workers/WorkersPage.tsx'
import { usePlaces } from './navigation.ts'
import { matchPath, navigate, usePath } from './router.tsx'

/** The overview, or the first page that the token allows. */
const Home = () => {
  const [first] = usePlaces()
  const elsewhere = first === undefined || first.href === '/' ? null : first.href
  useEffect(() => {
    if (elsewhere !== null) navigate(elsewhere, { replace: true })
  }, [elsewhere])
  return elsewhere === null ? <OverviewPage /> : null
}

type Params = Readonly<Record<string, string>>

const pages: readonly (readonly [pattern: string, page: (params: Params) => ReactNode])[] = [
  ['/', () => <Home />],
  ['/commands', () => <CommandsPage />],
  ['/commands/:domain/:id', ({ domain = '', id = '' }) => <CommandPage key={id} domain={domain} commandId={id} />],
  ['/troubleshooting', () => <TroubleshootingPage />],
  ['/troubleshooting/actions', () => <ActionsPage />],
  ['/troubleshooting/owed', () => <OwedPage />],
  ['/troubleshooting/replies', () => <RepliesPage />],
  ['/troubleshooting/strangers', () => <StrangersPage />],
  ['/troubleshooting/actions/:id', ({ id = '' }) => <ActionPage key={id} id={id} />],
  ['/operations', () => <OperationsPage />],
  ['/operations/:id', ({ id = '' }) => <OperationPage key={id} id={id} />],
  ['/runs', () => <RunsPage />],
  ['/runs/templates', () => <TemplatesPage />],
  ['/runs/:id', ({ id = '' }) => <RunPage key={id} id={id} />],
  ['/credits', () => <CreditsPage />],
  ['/workers', () => <WorkersPage />],
  ['/types', () => <TypesPage />],
  [
    '/types/:domain/:type',
    ({ domain = '', type = '' }) => <TypePage key={`${domain}/${type}`} domain={domain} commandType={type} />,
  ],
  ['/queues', () => <QueuesPage />],
  ['/queues/:queue', ({ queue = '' }) => <QueuePage key={queue} queue={queue} />],
  ['/lanes', () => <LanesPage />],
  ['/schedules', () => <SchedulesPage />],
  ['/alerts', () => <AlertsPage />],
  ['/alerts/:name', ({ name = '' }) => <SentPage key={name} name={name} />],
  ['/audit', () => <AuditPage />],
  ['/search', () => <SearchPage />],
]

export const CurrentPage = () => {
  const path = usePath()
  for (const [pattern, page] of pages) {
    const params = matchPath(pattern, path)
    if (params !== null) return page(params)
  }
  return <NotFound title="Nothing here" why={`There is no page at ${path}`} href="/" instead="To the overview" />
}
