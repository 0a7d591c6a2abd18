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
  '0003_commit d3226ca5c75ec249f016029ce4eb9790c61d0b50b175f5ceb54ca2056c0b702e',
  '0004_actions 3d84c0bc040a1601360b5f20eb7314db5def1ba72c403180503fc8b37f02cdcf',
  '0005_checkpoint 131fad26294ec4491c00589c141f073e8b4d1d967608b1629c9b97593caa1d9b',
  '0006_intent 0f10bb2c745efbf7782a4c89035c98e1c290d66e7e804f73a329a822aa79a31d',
  '0007_investigation 71ceb17f718de9addc33017dadfcf734a832317943c512f457c44d53349e5fba',
  '0008_workflow_runs a57d9a1ca3d18c06f410a8ef7b64ae3686baa52b9ef7b8524256618de80bd0a8',
  '0009_credit_entries_of_runs 14abe75c78f6677e233730850a6b5967fdf8c53898c2488ee00690f1e2409b31',
  '0010_queues 65637b3b75850eb35b685e24a8ebaaf73a388534d9609fb0baaa1117ed1ebb46',
  '0011_commit_columns 304cc8f3e01decb75feeb564ebc6de440ff3845018ce70c87e4c39994a960e5c',
  '0012_pauses dd404d0b08330b97f06062a0558af778dce4802abf12a1e166a3f69918600992',
  '0013_schedules 5bc5c02490b75c475db393820bc1899bd0f24a4f45d2a1aa9f89bcdacbd86e34',
  '0014_lanes d2cee0c5daa6588a37fdd559bf774f99ae68ca1c66edd661f669c977eac0dfca',
  '0015_rights 9ca6462c8ad6cc203aea560095f1e2a4a5c56af8eec7397889aadb23bbf54e37',
]

/**
 * The migrations of this version, in order. They are part of the code, because a bundled library has no `migrations/` of
 * its own beside it.
 */
export const knownMigrations: readonly KnownMigration[] = files.map((line, index) => {
  const [file = '', checksum = ''] = line.split(' ')
  return { version: index + 1, name: file.slice('0000_'.length), checksum }
})
