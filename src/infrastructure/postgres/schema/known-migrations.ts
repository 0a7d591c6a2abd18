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
  '0002_read_tables ee7fd3386513a3a9070529744565b983a800d43c0f63889d959f8597459f8455',
  '0003_commit 7992cab5f10fd0cd6a20f93a0d3fd0f10ffc5fdbae18b25b5f473a436af8f013',
  '0004_actions 3d84c0bc040a1601360b5f20eb7314db5def1ba72c403180503fc8b37f02cdcf',
  '0005_checkpoint 131fad26294ec4491c00589c141f073e8b4d1d967608b1629c9b97593caa1d9b',
  '0006_intent 0f10bb2c745efbf7782a4c89035c98e1c290d66e7e804f73a329a822aa79a31d',
  '0007_investigation 71ceb17f718de9addc33017dadfcf734a832317943c512f457c44d53349e5fba',
  '0008_workflow_runs bdf0df8316c78e00656b857838a2d7eb295b0c2f05af215ae7288cc3ea76f518',
  '0009_credit_entries_of_runs 14abe75c78f6677e233730850a6b5967fdf8c53898c2488ee00690f1e2409b31',
  '0010_queues 0efb55aeb45faba31d2d5197ba0c63e7e641910677b103399708b35f1d1ae3c7',
  '0011_commit_columns 304cc8f3e01decb75feeb564ebc6de440ff3845018ce70c87e4c39994a960e5c',
  '0012_pauses 7569d22f76a9055e8b143e45f435a9a947869a232bdaf5fb73c5c27c5c7f8dec',
  '0013_schedules ad719be3a1f1b81f19d5dd90ec2ab1b72ab5b44d44fe1a62bf9aea0b64815ed5',
  '0014_lanes a28de97a3c0c95a265cb32cf31569e03122f1390486392369c0b43ca755867d8',
  '0015_rights 5f43b16203217a0a3d0ff6df6ca020399c7acb7a20315f9b2b8a6a6b29bee5d7',
  '0016_acting 6371af3fc9cb38d3a79cdbeaf640d333a09c9f3bbc7debe555a3203d32cf6f62',
]

/**
 * The migrations of this version, in order. They are part of the code, because a bundled library has no `migrations/` of
 * its own beside it.
 */
export const knownMigrations: readonly KnownMigration[] = files.map((line, index) => {
  const [file = '', checksum = ''] = line.split(' ')
  return { version: index + 1, name: file.slice('0000_'.length), checksum }
})
