import { LoaderCircle } from 'lucide-react'
import type { ButtonHTMLAttributes, ReactNode } from 'react'

const looks = {
  plain: 'border-line bg-surface text-ink hover:bg-raised',
  primary: 'border-transparent bg-accent-fill text-white hover:brightness-110',
  danger: 'border-transparent bg-bad-fill text-white hover:brightness-110',
  quiet: 'border-transparent bg-transparent text-ink hover:bg-raised',
} as const

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: keyof typeof looks
  readonly icon?: ReactNode
  /** Shows a spinner, and the button cannot be pressed. */
  readonly busy?: boolean
}

export const Button = ({
  look = 'plain',
  icon,
  busy = false,
  disabled,
  className = '',
  children,
  ...rest
}: ButtonProps) => (
  <button
    type="button"
    disabled={disabled || busy}
    aria-busy={busy || undefined}
    className={`inline-flex min-h-8 items-center justify-center gap-1.5 rounded-md border px-3 py-1 text-sm font-medium whitespace-nowrap transition-colors disabled:cursor-not-allowed disabled:opacity-55 ${looks[look]} ${className}`}
    {...rest}
  >
    {busy ? <LoaderCircle aria-hidden className="size-4 animate-spin" /> : icon}
    {children}
  </button>
)
