import { KeyRound } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { type SignedOut, signIn } from '../../api/session.ts'
import { Button } from '../../components/Button.tsx'
import { ErrorDisplay } from '../../components/ErrorDisplay.tsx'

const reasons: Readonly<Record<SignedOut, string | null>> = {
  nobody: null,
  'signed-out': 'You are signed out. This tab has forgotten the token.',
  refused:
    'The server does not accept this token: it was signed for another service, or the secret has changed. What to do: sign in with a new token.',
  unreadable:
    'The link has no readable token: a part of it may be missing. What to do: open the complete link, or paste it here.',
  expired: 'Your token has expired. What to do: sign in with a new one; nothing you did is lost.',
}

export const SignIn = ({ why }: { readonly why: SignedOut }) => {
  const [wrong, setWrong] = useState(false)
  const reason = reasons[why]
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const text = String(new FormData(event.currentTarget).get('token') ?? '').trim()
    // the complete printed link is accepted, too
    setWrong(!signIn(text.split('#token=').pop() ?? text))
  }
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <div className="card grid w-full max-w-md gap-5 p-6">
        <div>
          <p className="text-sm font-bold tracking-tight">
            command<span className="text-accent">bus</span>
          </p>
          <h1 className="mt-1 text-xl font-semibold">Sign in</h1>
        </div>
        {reason !== null && (
          <ErrorDisplay severity={why === 'refused' || why === 'unreadable' ? 'warning' : 'info'} message={reason} />
        )}
        <form onSubmit={submit} className="grid gap-3">
          <label className="grid gap-1 text-sm font-medium">
            Token
            <textarea
              name="token"
              rows={4}
              required
              spellCheck={false}
              autoComplete="off"
              aria-invalid={wrong}
              aria-describedby="token-help"
              className="field font-mono text-xs"
            />
          </label>
          {wrong && (
            <p role="alert" className="text-sm text-bad">
              This is not a token: a token has three parts joined by dots.
            </p>
          )}
          <Button type="submit" look="primary" icon={<KeyRound aria-hidden className="size-4" />}>
            Sign in
          </Button>
        </form>
        <div id="token-help" className="grid gap-2 text-sm text-muted">
          <p>
            <code className="font-mono">npm start</code> prints a link that signs you in. Or make a token:
          </p>
          <pre className="overflow-x-auto rounded-md bg-raised p-3 font-mono text-xs">
            npx commandbus token --sub you@example.com \{'\n'} --roles OPERATOR,SENDER
          </pre>
          <p>It stays in this tab, until you close it or sign out.</p>
        </div>
      </div>
    </main>
  )
}
