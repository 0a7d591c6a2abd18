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
  '0002_read_tables 1642d9f75596008741230d9b45ac25836db1fd6d3fe8bae6e761c96262151f74',
  '0003_commit 5b02518c890e5d96e0754208aab4f993a814dc220e7454c1f1a3486c1af5f81d',
  '0004_actions 3d84c0bc040a1601360b5f20eb7314db5def1ba72c403180503fc8b37f02cdcf',
  '0005_checkpoint 131fad26294ec4491c00589c141f073e8b4d1d967608b1629c9b97593caa1d9b',
  '0006_intent 0f10bb2c745efbf7782a4c89035c98e1c290d66e7e804f73a329a822aa79a31d',
  '0007_investigation 71ceb17f718de9addc33017dadfcf734a832317943c512f457c44d53349e5fba',
  '0008_workflow_runs 09b8e63efff1e1a98417dc36d5730d436cc32581e276908ac4f5be6e7dd745f2',
  '0009_credit_entries_of_runs 14abe75c78f6677e233730850a6b5967fdf8c53898c2488ee00690f1e2409b31',
  '0010_queues 3d067b4ae31619721be10ca20fcbd7577cdc7ddc92f4e057d9884c4ab97821e8',
  '0011_commit_columns 304cc8f3e01decb75feeb564ebc6de440ff3845018ce70c87e4c39994a960e5c',
  '0012_rights 37d6ce2598a47c8c589b67314d4e468b8ba8298ec888d90363c01d6ab2321cd6',
]

/**
 * The migrations of this version, in order. They are part of the code, because a bundled library has no `migrations/` of
 * its own beside it.
 */
export const knownMigrations: readonly KnownMigration[] = files.map((line, index) => {
  const [file = '', checksum = ''] = line.split(' ')
  return { version: index + 1, name: file.slice('0000_'.length), checksum }
})
