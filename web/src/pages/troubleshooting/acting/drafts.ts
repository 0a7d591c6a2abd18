interface Draft {
  /** The payload that was edited, as JSON. */
  readonly of: string
  readonly text: string
}

/** Edits that were not sent, by command: a dialog that is closed by mistake loses none. Only this page remembers them. */
const drafts = new Map<string, Draft>()
const MOST = 50

const keyOf = ({ domain, commandId }: { readonly domain: string; readonly commandId: string }): string =>
  `${domain}/${commandId}`

/** The edit of this payload; undefined: there is none, or the payload is another one by now. */
export const draftOf = (command: Parameters<typeof keyOf>[0], of: string): string | undefined => {
  const draft = drafts.get(keyOf(command))
  return draft?.of === of ? draft.text : undefined
}

export const keepDraft = (command: Parameters<typeof keyOf>[0], draft: Draft): void => {
  drafts.delete(keyOf(command))
  drafts.set(keyOf(command), draft)
  const [oldest] = drafts.keys()
  if (drafts.size > MOST && oldest !== undefined) drafts.delete(oldest)
}

export const dropDraft = (command: Parameters<typeof keyOf>[0]): void => {
  drafts.delete(keyOf(command))
}
