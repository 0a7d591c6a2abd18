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
  '0002_read_tables 7232c58f78244d9620f724c4003e6f4af6f5de0d029315cb3ea32e3bcf300845',
  '0003_commit b1b5033075d51bab70bd80af786da2df00aac86d93970df6988d715beb4ea455',
  '0004_actions 3d84c0bc040a1601360b5f20eb7314db5def1ba72c403180503fc8b37f02cdcf',
  '0005_checkpoint 131fad26294ec4491c00589c141f073e8b4d1d967608b1629c9b97593caa1d9b',
  '0006_intent 0f10bb2c745efbf7782a4c89035c98e1c290d66e7e804f73a329a822aa79a31d',
  '0007_investigation 71ceb17f718de9addc33017dadfcf734a832317943c512f457c44d53349e5fba',
  '0008_workflow_runs 4d565a5278ff909de4a683088a18d885481c6fe94ce2ff823a1f4dbd632f1a1a',
  '0009_credit_entries_of_runs 14abe75c78f6677e233730850a6b5967fdf8c53898c2488ee00690f1e2409b31',
  '0010_queues 0efb55aeb45faba31d2d5197ba0c63e7e641910677b103399708b35f1d1ae3c7',
  '0011_commit_columns 573a565a9945cf0830bf3611333d5e968a12aaf4cd53414fa275ae2015312458',
  '0012_pauses 7569d22f76a9055e8b143e45f435a9a947869a232bdaf5fb73c5c27c5c7f8dec',
  '0013_schedules ad719be3a1f1b81f19d5dd90ec2ab1b72ab5b44d44fe1a62bf9aea0b64815ed5',
  '0014_lanes a70d2f34059383d0cb61f4efa0ebd51a52fbdca0b340d12509a89bb19f6359f6',
  '0015_rights 0a91255d5e0583824ba9625101c6e7aee0e8dc9f49de49b6f530440cf4196de3',
  '0016_workers eb720874f597861deac087f8a123ef63f804270ebfe95cb93aad801334caca38',
  '0017_search c1c12946a9d9996bb10a6906a6a3ce733ac71cdb22c653a9f06a2884f8b56db1',
  '0018_causes_and_alerts 9755cd3481b03dbf8632eac0d52fe21e22389f138a4c8a9b0370888544a6fb23',
  '0019_figures 0d153b6d8b501044694def3683846a20c35ac67672d11cc2cfa0548f16c7d6df',
  '0020_campaigns 6371af3fc9cb38d3a79cdbeaf640d333a09c9f3bbc7debe555a3203d32cf6f62',
  '0021_sensitive faf1242473bb82762533be3bc5e820f56d1c0ca78b184a688551fe5fe188aa28',
  '0022_sorted_lists 90d7a0abc9a0d5c56f46697cd680323c3b92789e5ef118a2e7e8970a0826990d',
  '0023_parked_causes 71333ffb5c00c442918c53e8bb36593216e872ff67355b9b91084d9723e855b3',
]

/**
 * The migrations of this version, in order. They are part of the code, because a bundled library has no `migrations/` of
 * its own beside it.
 */
export const knownMigrations: readonly KnownMigration[] = files.map((line, index) => {
  const [file = '', checksum = ''] = line.split(' ')
  return { version: index + 1, name: file.slice('0000_'.length), checksum }
})
