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
  '0002_read_tables 1c91a218c0e458046e91ea4f76ae9bc34c5f8b183e3d49eea17fca78fe5fbf53',
  '0003_commit 712b7bf21ce5467804fedcecacddd1e6e9512e76dff953292eddcd7a043836a2',
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
  '0014_lanes a70d2f34059383d0cb61f4efa0ebd51a52fbdca0b340d12509a89bb19f6359f6',
  '0015_rights 1dc8ec4545c30b1796f12df47ec9e2c309b42344274b91dedb3b005bab639bb7',
  '0016_workers b2c998c4556dd133bd8a8d71a7f82a1dadd4a117da2b971808d689c81e962ad2',
  '0017_rights17 ff0f77f7287256442af3e727216c3f8aeae531ca90006f1ae60ce15dab0415ad',
]

/**
 * The migrations of this version, in order. They are part of the code, because a bundled library has no `migrations/` of
 * its own beside it.
 */
export const knownMigrations: readonly KnownMigration[] = files.map((line, index) => {
  const [file = '', checksum = ''] = line.split(' ')
  return { version: index + 1, name: file.slice('0000_'.length), checksum }
})
