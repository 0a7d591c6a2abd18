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
  '0002_read_tables 722e92259ebf1b7a1501e13284b0f8dc70494fbcf5a9cbd639994d2f00e96d0c',
  '0003_commit b1776648d1d47a231f3f0b201598c0500a3ab64d751f06b54b6fee544cd84abb',
  '0004_actions 3d84c0bc040a1601360b5f20eb7314db5def1ba72c403180503fc8b37f02cdcf',
  '0005_checkpoint 131fad26294ec4491c00589c141f073e8b4d1d967608b1629c9b97593caa1d9b',
  '0006_intent 0f10bb2c745efbf7782a4c89035c98e1c290d66e7e804f73a329a822aa79a31d',
  '0007_investigation 71ceb17f718de9addc33017dadfcf734a832317943c512f457c44d53349e5fba',
  '0008_workflow_runs f264eb96d2d85b82a0ac05a653f430fd2a29a2caabac7ddecf40a5115962862f',
  '0009_credit_entries_of_runs 14abe75c78f6677e233730850a6b5967fdf8c53898c2488ee00690f1e2409b31',
  '0010_queues 1cd0ccd43e29de97a528495a1a15916db969513a932de1377e7e572b7e303b3b',
  '0011_commit_columns 0cce12b10d273c6d50f46973a0a97985c7fd756eadcfe65bcb18e9603b787332',
  '0012_pauses 0213915050860a726b6a9ed828006369975ac0b1463b9c643ad862bffa02e981',
  '0013_schedules dd99ac4d53557bd68bcf298d59e1fe45da8f828322114d9127fe85da931a32d5',
  '0014_lanes 155a9d035f1a8361ef5479afef8db0a7ba89b6cebedd8364c88f52c4312a1eaf',
  '0015_rights 25aa99025bb051faa3332c82f6a0a33b77333aa295a48705bb26cdb536859329',
]

/**
 * The migrations of this version, in order. They are part of the code, because a bundled library has no `migrations/` of
 * its own beside it.
 */
export const knownMigrations: readonly KnownMigration[] = files.map((line, index) => {
  const [file = '', checksum = ''] = line.split(' ')
  return { version: index + 1, name: file.slice('0000_'.length), checksum }
})
