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
  '0002_read_tables 3ff7a60044e9756affc889253ce93d8a225e74c2d881f264c032d1971097f6b3',
  '0003_commit bbeaca51617b3a0e23e9b6e69630f1e24b64dd9be2f9a261b322f062d0e3fc3c',
  '0004_actions a1a20ee184217a104c505cdb56447c0db6bf845fdf67a1eeec1e0948138eee32',
  '0005_checkpoint 079e59faadd7c8c354d11c49e4df0f822188432923a16ab85a00d4d7dc96602e',
  '0006_intent c7c91747f22815494db9c5de677ee819748835ad1e5fdf281f56d287b3653091',
  '0007_investigation 6e606c77b537125ff1e45713de8abebab99a4b88908b08ca2d13d3d21cec5551',
  '0008_workflow_runs 7319b7bcdc066d9f7a2a1167a4c0e679f411e2067d181dace04789f8fb38c2c2',
  '0009_credit_entries_of_runs 40e929dc2c20af55739043616e8bb3fa03200d877efcd88a8cadbecd4d4f6315',
  '0010_queues 62cda9f23910a8700d51c93d5f686da1b1a4e68fd893a1c6318e4953cc86448f',
  '0011_rights aa6b753371f042aefa8bca086d6d50da097b0c96f92a014684da05b741d7658c',
]

/**
 * The migrations of this version, in order. They are part of the code, because a bundled library has no `migrations/` of
 * its own beside it.
 */
export const knownMigrations: readonly KnownMigration[] = files.map((line, index) => {
  const [file = '', checksum = ''] = line.split(' ')
  return { version: index + 1, name: file.slice('0000_'.length), checksum }
})
