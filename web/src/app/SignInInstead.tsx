import { answerLink, type Session } from '../api/session.ts'
import { Button } from '../components/Button.tsx'
import { Dialog, DialogButtons } from '../components/Dialog.tsx'

interface SignInInsteadProps {
  readonly offered: Session
  /** Who is signed in; null: nobody any more. */
  readonly session: Session | null
}

const nameOf = ({ subject, tenant }: Session): string => (tenant === null ? subject : `${subject} (tenant ${tenant})`)

/** Asks before a link signs somebody else in: later actions would be done in the other's name. */
export const SignInInstead = ({ offered, session }: SignInInsteadProps) => {
  const stay = () => answerLink(false)
  const question = `Sign in as ${nameOf(offered)}${session === null ? '' : ` instead of ${nameOf(session)}`}?`
  return (
    <Dialog title="A link wants to sign you in" onClose={stay}>
      <p className="wrap-anywhere">{question}</p>
      <p className="text-muted">
        All your actions are then done in that name. Refuse unless you made the link yourself or know who sent it.
      </p>
      <DialogButtons>
        <Button onClick={stay}>{session === null ? 'Refuse' : `Stay ${session.subject}`}</Button>
        <Button look="danger" onClick={() => answerLink(true)}>
          Sign in as {offered.subject}
        </Button>
      </DialogButtons>
    </Dialog>
  )
}
