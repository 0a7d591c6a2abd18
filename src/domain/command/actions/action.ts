import type { Json } from '../../json/json.ts'

/** How an option is read, whether it comes from a program, a request, the command line or the console. */
export interface ActionOption {
  /** An instant lies ahead, by a year at the most. A person is a name, or null for nobody. */
  readonly kind: 'text' | 'json' | 'boolean' | 'instant' | 'person' | 'tags'
  /** Without it the action is refused. */
  readonly required?: true
  /** Console and command line require it of people; programs may leave it out. */
  readonly asked?: true
  /** The most characters of a text; default 1,000. */
  readonly max?: number
  /** What stands for an option that is left out. */
  readonly usual?: Json
  /** Only of an action on one command. */
  readonly single?: true
  /** Of the command line. That of a boolean turns its usual value around. */
  readonly flag: string
  readonly about: string
  /** Of the field in the console's dialog; without one the dialog does not ask for it. */
  readonly label?: string
  readonly hint?: Words
}

/** About one command, or about several. */
export interface Words {
  readonly one: string
  readonly many: string
}

export interface OperatorAction<Details = unknown> {
  readonly intent: string
  readonly permission: 'operate'
  /** Of the HTTP API: its operation id, and the last part of its path. */
  readonly route: string
  readonly path: string
  /** If not POST to `path`. */
  readonly http?: { readonly method: 'POST' | 'PUT'; readonly path: string }
  readonly summary: string
  /** The queue that gets a message by it: the command's own, or the one its sender waits at. */
  readonly fills: 'command' | 'reply' | null
  /** Of many commands, some may be done first, and the rest when those have completed. */
  readonly canary?: true
  /** Of the command line: what it does, and what it says when it is done. */
  readonly about: string
  readonly done: (done: {
    readonly commandId: string
    readonly status: string
    readonly msgId?: string | null
  }) => string
  readonly options: { readonly [Name in keyof Details]-?: ActionOption }
}

/** The words of the console, for what its dialog can do to one command or to many. */
export interface Dialog {
  readonly verb: string
  readonly past: string
  /** What will become of them. */
  readonly intro: Words
  readonly toast: string
}
