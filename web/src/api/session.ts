import { useSyncExternalStore } from 'react'
import { rolesFor } from '../../../src/application/access/roles.ts'
import {
  isPermitted,
  isPermittedSomewhere,
  type PermitName,
  permissionBehind,
} from '../../../src/application/permits/permits.ts'
import { roles as knownRoles, type Permission, type Role } from '../../../src/application/ports/authorization.ts'

const KEY = 'commandbus.token'

/** Who is signed in, as the token says. Only for display, and to offer only what the token allows: the server decides. */
export interface Session {
  readonly token: string
  readonly subject: string
  readonly tenant: string | null
  readonly roles: readonly Role[]
  /** What narrows the roles, such as `retry@payments`; null: nothing does. */
  readonly permissions: readonly string[] | null
  /** Milliseconds since 1970; null: the token does not say. */
  readonly expiresAt: number | null
}

/** Why nobody is signed in. */
export type SignedOut = 'nobody' | 'signed-out' | 'refused' | 'expired' | 'unreadable'

interface State {
  readonly session: Session | null
  readonly why: SignedOut
  /** Whom a link would sign in instead, until the user answers. */
  readonly offered: Session | null
}

const listeners = new Set<() => void>()
let state: State = { session: null, why: 'nobody', offered: null }

const set = (next: Partial<State>): void => {
  state = { ...state, ...next }
  for (const listener of listeners) listener()
}

/** A claim that is neither a list nor a text gives nothing; the server refuses such a token. */
const textsOf = (claim: unknown): readonly string[] =>
  (typeof claim === 'string' ? claim.split(/[\s,]+/) : Array.isArray(claim) ? claim : []).filter(
    one => typeof one === 'string',
  )

/** The claims of a token, unverified; null if the text is not a token. */
export const readToken = (token: string): Session | null => {
  const [, payload, signature] = token.split('.')
  if (payload === undefined || signature === undefined) return null
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0))
    const { sub, tenant, roles, permissions, exp } = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof sub !== 'string') return null
    return {
      token,
      subject: sub,
      tenant: typeof tenant === 'string' ? tenant : null,
      roles: Array.isArray(roles) ? knownRoles.filter(role => roles.includes(role)) : [],
      permissions: permissions === undefined ? null : textsOf(permissions),
      expiresAt: typeof exp === 'number' ? exp * 1000 : null,
    }
  } catch {
    return null
  }
}

/**
 * Removes `#token=...` from the address, so that no history and no bookmark has it. It signs in if nobody is signed in; a
 * link never replaces a session without asking, since anybody can send one. Without it, this tab's session continues.
 */
export const startSession = (): void => {
  const fromLink = new URLSearchParams(location.hash.slice(1)).get('token')
  if (fromLink !== null) history.replaceState(history.state, '', location.pathname + location.search)
  const linked = fromLink === null ? null : readToken(fromLink.trim())
  const kept = sessionStorage.getItem(KEY)
  if (kept !== null && signIn(kept)) {
    if (linked !== null && linked.token !== kept) set({ offered: linked })
    return
  }
  if (linked !== null) signIn(linked.token)
  else if (fromLink !== null) set({ session: null, why: 'unreadable' })
}

/** The user's answer to the session that a link offers. */
export const answerLink = (accepted: boolean): void => {
  const { offered } = state
  if (accepted && offered !== null) signIn(offered.token)
  else set({ offered: null })
}

/** False if the text is not a token. */
export const signIn = (token: string): boolean => {
  const session = readToken(token.trim())
  if (session === null) return false
  sessionStorage.setItem(KEY, session.token)
  set({ session, why: 'nobody', offered: null })
  return true
}

export const signOut = (why: SignedOut = 'signed-out'): void => {
  sessionStorage.removeItem(KEY)
  set({ session: null, why })
}

/** The server answered 401 to a request with this token; nothing happens when another one is in use by now. */
export const refused = (token: string | null): void => {
  const { session } = state
  if (session === null || session.token !== token) return
  signOut(session.expiresAt !== null && session.expiresAt <= Date.now() ? 'expired' : 'refused')
}

export const currentToken = (): string | null => state.session?.token ?? null

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useSessionState = (): State => useSyncExternalStore(subscribe, () => state)

/** Whether something is allowed in a domain; null: in all of them; left out: in some domain. */
export type May = (name: PermitName, domain?: string | null) => boolean

export const may = (
  { roles, permissions }: Pick<Session, 'roles' | 'permissions'>,
  name: PermitName,
  domain?: string | null,
): boolean => {
  const permits = permissions ?? undefined
  return (
    roles.some(role => rolesFor[permissionBehind(name)].includes(role)) &&
    (domain === undefined ? isPermittedSomewhere(permits, name) : isPermitted(permits, { name, domain }))
  )
}

/** What the signed-in user may do. */
export const usePermissions = (): May => {
  const { session } = useSessionState()
  return (name, domain) => session !== null && may(session, name, domain)
}

export type { Permission, Role }
