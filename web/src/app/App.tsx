import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useState } from 'react'
import { NoAnswerError } from '../api/fetch.ts'
import { isPassing } from '../api/problem.ts'
import { useSessionState } from '../api/session.ts'
import { SignIn } from '../pages/sign-in/SignIn.tsx'
import { ErrorBoundary } from './ErrorBoundary.tsx'
import { LiveProvider } from './LiveProvider.tsx'
import { CurrentPage } from './pages.tsx'
import { Shell } from './Shell.tsx'
import { SignInInstead } from './SignInInstead.tsx'
import { Toasts } from './Toasts.tsx'

const RETRIES = 1

export const createQueryClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: 'always',
        staleTime: 2_000,
        // one that hangs was given time enough
        retry: (failures, error) => failures < RETRIES && isPassing(error) && !(error instanceof NoAnswerError),
        retryDelay: 500,
      },
      mutations: { networkMode: 'always' },
    },
  })

/** The data of a session ends with it: the next one starts empty. */
const SignedIn = () => {
  const [queries] = useState(createQueryClient)
  return (
    <QueryClientProvider client={queries}>
      <LiveProvider>
        <Shell>
          <ErrorBoundary>
            <CurrentPage />
          </ErrorBoundary>
        </Shell>
      </LiveProvider>
    </QueryClientProvider>
  )
}

export const App = () => {
  const { session, why, offered } = useSessionState()
  return (
    <>
      {session === null ? <SignIn why={why} /> : <SignedIn key={session.token} />}
      {offered !== null && <SignInInstead offered={offered} session={session} />}
      <Toasts />
    </>
  )
}
