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
  '0002_read_tables 81bacc8596d433db070166285d9eff33d8e3d9a6d8668a66155c92e94e4478f2',
  '0003_commit 7992cab5f10fd0cd6a20f93a0d3fd0f10ffc5fdbae18b25b5f473a436af8f013',
  '0004_actions 3d84c0bc040a1601360b5f20eb7314db5def1ba72c403180503fc8b37f02cdcf',
  '0005_checkpoint 131fad26294ec4491c00589c141f073e8b4d1d967608b1629c9b97593caa1d9b',
  '0006_intent 0f10bb2c745efbf7782a4c89035c98e1c290d66e7e804f73a329a822aa79a31d',
  '0007_investigation 71ceb17f718de9addc33017dadfcf734a832317943c512f457c44d53349e5fba',
  '0008_workflow_runs a57d9a1ca3d18c06f410a8ef7b64ae3686baa52b9ef7b8524256618de80bd0a8',
  '0009_credit_entries_of_runs 14abe75c78f6677e233730850a6b5967fdf8c53898c2488ee00690f1e2409b31',
  '0010_queues 0efb55aeb45faba31d2d5197ba0c63e7e641910677b103399708b35f1d1ae3c7',
  '0011_commit_columns 304cc8f3e01decb75feeb564ebc6de440ff3845018ce70c87e4c39994a960e5c',
  '0012_pauses 9c1e8e4f12dd3ada58834b1eaa9467f46642d411d044f6bf63c0bfdf618d5e54',
  '0013_schedules a2ae35bcf24097a9cfdaa5a1f230d2e4f45da0c2ea23c2ee3012c282a5e90bcd',
  '0014_lanes 57de92ab5e1a4c3fae5c50b3a06a1591909f896bc9723e35524f3f50d85da5c9',
  '0015_rights a663ad06dfd4f4de584de1dc0e21364c96227f38a178bd0052f831c2d89d0ae9',
]

/**
 * The migrations of this version, in order. They are part of the code, because a bundled library has no `migrations/` of
 * its own beside it.
 */
export const knownMigrations: readonly KnownMigration[] = files.map((line, index) => {
  const [file = '', checksum = ''] = line.split(' ')
  return { version: index + 1, name: file.slice('0000_'.length), checksum }
})
