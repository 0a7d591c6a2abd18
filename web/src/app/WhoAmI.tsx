import { Check, X } from 'lucide-react'
import { domainsOf, EVERY_DOMAIN, type PermitName, permitNames } from '../../../src/application/permits/permits.ts'
import { permissions } from '../../../src/application/ports/authorization.ts'
import { parkedActions } from '../../../src/domain/command/operator-actions.ts'
import { may, type Permission, type Session } from '../api/session.ts'
import { Dialog } from '../components/Dialog.tsx'
import { At } from '../components/Time.tsx'

const meanings: Readonly<Record<Permission, string>> = {
  read: 'See commands, troubleshooting and figures',
  send: 'Send commands, and cancel pending ones',
  reschedule: 'Move commands that nobody has begun to another time',
  operate: 'Retry, cancel and complete commands in troubleshooting, and pause commands',
  audit: 'Read audit trails and history',
  operations: 'Start and retry operations of your own',
  runs: 'Run workflows over files, and continue what failed',
  reveal: 'See members of payloads and results that are declared sensitive',
  grant: 'Grant credits to tenants',
}

const actionWords: Readonly<Partial<Record<PermitName, string>>> = {
  ...Object.fromEntries(Object.entries(parkedActions).map(([name, { verb }]) => [name, verb])),
  endAttempt: 'End the attempt that runs',
  edit: 'Retry with another payload',
}

/** What a token that names actions and domains leaves of what its roles allow. */
const Narrowed = ({ session, permits }: { readonly session: Session; readonly permits: readonly string[] }) => {
  const named = permitNames.filter(name => domainsOf(permits, name).length > 0 && may(session, name))
  return (
    <div>
      <h3 className="mb-1 font-semibold">Only this, by the permissions of the token</h3>
      {named.length === 0 ? (
        <p>Nothing: the token names no permission that its roles allow.</p>
      ) : (
        <ul aria-label="Only this" className="grid gap-1">
          {named.map(name => {
            const domains = domainsOf(permits, name)
            return (
              <li key={name} className="wrap-anywhere">
                {actionWords[name] ??
                  (name === 'operate' ? 'Pause, and change lanes, limits and schedules' : meanings[name as Permission])}
                : {domains.includes(EVERY_DOMAIN) ? 'all domains' : domains.join(', ')}
              </li>
            )
          })}
        </ul>
      )}
    </div>
  )
}

/** Who is signed in and what the token allows. */
export const WhoAmI = ({ session, onClose }: { readonly session: Session; readonly onClose: () => void }) => (
  <Dialog title="Who am I" onClose={onClose}>
    <dl className="grid grid-cols-[7rem_1fr] gap-y-1.5">
      <dt className="text-muted">Name</dt>
      <dd className="wrap-anywhere">{session.subject}</dd>
      <dt className="text-muted">Tenant</dt>
      <dd>{session.tenant ?? 'all tenants'}</dd>
      <dt className="text-muted">Roles</dt>
      <dd>{session.roles.join(', ') || 'none'}</dd>
      <dt className="text-muted">Valid until</dt>
      <dd>{session.expiresAt === null ? 'not stated' : <At at={new Date(session.expiresAt).toISOString()} />}</dd>
    </dl>
    <div>
      <h3 className="mb-1 font-semibold">What you may do</h3>
      <ul className="grid gap-1">
        {permissions.map(permission => {
          const allowed = may(session, permission)
          return (
            <li key={permission} className={`flex items-center gap-2 ${allowed ? '' : 'text-muted'}`}>
              {allowed ? <Check aria-hidden className="size-4 text-ok" /> : <X aria-hidden className="size-4" />}
              <span className="sr-only">{allowed ? 'Yes:' : 'No:'}</span>
              {meanings[permission]}
            </li>
          )
        })}
      </ul>
    </div>
    {session.permissions !== null && <Narrowed session={session} permits={session.permissions} />}
    <p className="text-muted">
      This is what the token says. The server checks every request. For other roles, ask the people who issue tokens.
    </p>
  </Dialog>
)
