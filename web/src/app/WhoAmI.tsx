import { Check, X } from 'lucide-react'
import { permissions } from '../../../src/application/ports/authorization.ts'
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
  grant: 'Grant credits to tenants',
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
    <p className="text-muted">
      This is what the token says. The server checks every request. For other roles, ask the people who issue tokens.
    </p>
  </Dialog>
)
