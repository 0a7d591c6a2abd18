/** A migration as the code knows it without its file. */
export interface KnownMigration {
  readonly version: number
  readonly name: string
  /** SHA-256 of the text with line ends as `\n`, in hex. */
  readonly checksum: string
}

// Written by `npm run generate:migrations`.
const files = [
  '0001_event_log 10f1e52ea5f84417a2422aa06a34a28f52c89e4bb361c58a5de29e0fec5b09ad',
  '0002_read_tables c4a7d41d7f468c16593c37ae6a599f47ba59257a48ce94a4bea02ac94795c8c6',
  '0003_commit 42b6acb547e850e3c527894d7b475f28269fde7b6bf33fbbd0c8880a9520b783',
  '0004_actions 3d84c0bc040a1601360b5f20eb7314db5def1ba72c403180503fc8b37f02cdcf',
  '0005_checkpoint 131fad26294ec4491c00589c141f073e8b4d1d967608b1629c9b97593caa1d9b',
  '0006_intent 0f10bb2c745efbf7782a4c89035c98e1c290d66e7e804f73a329a822aa79a31d',
  '0007_investigation 71ceb17f718de9addc33017dadfcf734a832317943c512f457c44d53349e5fba',
  '0008_workflow_runs 4542fbf242f533ce70afb4bd5746165815338667366dd17b25b0332c563dad9f',
  '0009_credit_entries_of_runs 14abe75c78f6677e233730850a6b5967fdf8c53898c2488ee00690f1e2409b31',
  '0010_queues 6729f14259897a9e49be69b6c678ec06ebf156ad3e3e1fabe883b3c36b300847',
  '0011_commit_columns 304cc8f3e01decb75feeb564ebc6de440ff3845018ce70c87e4c39994a960e5c',
  '0012_pauses 58f3a6702ccd662d17e1889b9e7650d317c2d4fd3513b01f992464bcb2270b40',
  '0013_schedules ad719be3a1f1b81f19d5dd90ec2ab1b72ab5b44d44fe1a62bf9aea0b64815ed5',
  '0014_lanes 155a9d035f1a8361ef5479afef8db0a7ba89b6cebedd8364c88f52c4312a1eaf',
  '0015_rights 6ce120d7ebdee17bee958d14e30a3844d1be49697b6e718d092a68fbf696078f',
]

/**
 * The migrations of this version, in order. They are part of the code, because a bundled library has no `migrations/` of
 * its own beside it.
 */
export const knownMigrations: readonly KnownMigration[] = files.map((line, index) => {
  const [file = '', checksum = ''] = line.split(' ')
  return { version: index + 1, name: file.slice('0000_'.length), checksum }
})
