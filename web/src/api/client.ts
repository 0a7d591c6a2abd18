import { ApiProblem, createClient } from '../../../src/contract/client.ts'
import type { Api } from '../../../src/contract/index.ts'
import type { ResponseOf } from '../../../src/contract/route.ts'
import { timedFetch } from './fetch.ts'
import { currentToken, refused } from './session.ts'

/** For so long after an action lists are read from the primary: a replica is never used when it is later than this. */
const FRESH_MS = 60_000
/** When somebody acted last in this browser: a page that is loaded again, or another tab, must show it, too. */
const KEY = 'commandbus.acted'
const actedLately = (): boolean => Math.abs(Date.now() - Number(localStorage.getItem(KEY))) < FRESH_MS

/** What was just done must be seen, also where lists come from a replica. */
const fresh = (init: RequestInit): RequestInit => ({
  ...init,
  headers: { ...Object.fromEntries(new Headers(init.headers)), 'cache-control': 'no-cache' },
})

/** Sends a request; a 401 signs the user out. */
export const send: typeof fetch = async (input, init = {}) => {
  const token = currentToken()
  const reads = (init.method ?? 'GET') === 'GET'
  const isFresh = reads && actedLately()
  try {
    const response = await timedFetch(input, isFresh ? fresh(init) : init)
    if (response.status === 401) refused(token)
    return response
  } finally {
    if (!reads) localStorage.setItem(KEY, String(Date.now()))
  }
}

export const api = createClient({ baseUrl: location.origin, token: currentToken, fetch: send })

export { ApiProblem }

/** What a route answers with. */
export type Answer<Id extends keyof Api> = ResponseOf<Api[Id]>

export type Command = Answer<'listCommands'>['items'][number]
export type CommandDetail = Answer<'getCommand'>
export type CommandStatus = Command['status']
export type AuditEntry = Answer<'getAuditTrail'>['items'][number]
export type Parked = Answer<'listParked'>['items'][number]
export type ParkedGroup = Answer<'groupParked'>['items'][number]
export type Action = Answer<'getAction'>
export type ActionProgress = Answer<'listActions'>['items'][number]
export type OwedReply = Answer<'listOwed'>['items'][number]
export type SavedView = Answer<'listViews'>['items'][number]
export type UndeliveredReply = Answer<'listUndelivered'>['items'][number]
export type Stranger = Answer<'listStrangers'>['items'][number]
export type Pause = Answer<'listPauses'>['items'][number]
export type Proof = Answer<'getProof'>
export type Operation = Answer<'getOperation'>
export type Stats = Answer<'getStats'>
export type TypeFigures = Answer<'listTypes'>['items'][number]
export type QueueFigures = Answer<'listQueues'>['items'][number]
export type Cause = Answer<'listFailures'>['items'][number]
export type Attempt = Answer<'getAttempts'>['items'][number]
export type Explained = Answer<'explainCause'>
export type Step = Answer<'getHistory'>['items'][number]
export type Rehearsal = Answer<'rehearseCommand'>
export type CausalNode = Answer<'getCorrelation'>['items'][number]
export type Run = Answer<'getRun'>
export type RunFile = Run['perFileResults'][number]
export type RunPreview = Answer<'previewRetry'>
export type Template = Answer<'listTemplates'>['items'][number]
export type LedgerEntry = Answer<'getCredits'>['ledger'][number]
export type ListedLane = Answer<'listLanes'>['items'][number]
export type ListedWorker = Answer<'listWorkers'>['items'][number]
export type Alert = Answer<'listAlerts'>['items'][number]
export type SentAlert = Answer<'listSentAlerts'>['items'][number]
export type ListedSchedule = Answer<'listSchedules'>['items'][number]
