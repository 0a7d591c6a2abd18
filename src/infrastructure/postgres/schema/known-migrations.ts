/** What the library knows of a migration without its file. */
export interface KnownMigration {
  readonly version: number
  readonly name: string
  /** SHA-256 of the text with line ends as `\n`, in hex. */
  readonly checksum: string
}

// Written by `npm run generate:migrations`.
const files = [
  '0001_event_log 788a46624c3e9c1f0c09b97653a04104d87bd65a401ea841993b80d3aea076e6',
  '0002_read_tables a19a688e2411608ee3e4038130c401e0b3e8b589332eeec59d75464a6454fa65',
  '0003_commit cd70b99aa40d60a9e6a383f2c66fcb5903a9e1b25430f91af7b5d00c65bfec62',
  '0004_actions a3b9443eb17e05b5e4a7509d11acac1bc115b09582f7d6b3eb3e1ad5b4e03c56',
  '0005_checkpoint 079e59faadd7c8c354d11c49e4df0f822188432923a16ab85a00d4d7dc96602e',
  '0006_intent c7c91747f22815494db9c5de677ee819748835ad1e5fdf281f56d287b3653091',
  '0007_investigation 6e606c77b537125ff1e45713de8abebab99a4b88908b08ca2d13d3d21cec5551',
  '0008_workflow_runs 7319b7bcdc066d9f7a2a1167a4c0e679f411e2067d181dace04789f8fb38c2c2',
  '0009_credit_entries_of_runs 40e929dc2c20af55739043616e8bb3fa03200d877efcd88a8cadbecd4d4f6315',
  '0010_queues 4fd90cba680e1ec98bfda758251913f7a5357c3816fc6d750880ed62550b053b',
  '0011_rights b94b1cb55e6739752ee9ad5c5bdc4f4a3a14ff46bfe6210239868bca4e992754',
]

/**
 * The migrations of this version, in order. They are part of the code, because a bundled library has no `migrations/` of
 * its own beside it.
 */
export const knownMigrations: readonly KnownMigration[] = files.map((line, index) => {
  const [file = '', checksum = ''] = line.split(' ')
  return { version: index + 1, name: file.slice('0000_'.length), checksum }
})
