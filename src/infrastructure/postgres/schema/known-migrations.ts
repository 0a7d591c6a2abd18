/** A migration as the code knows it without its file. */
export interface KnownMigration {
  readonly version: number
  readonly name: string
  /** SHA-256 of the text with line ends as `\n`, in hex. */
  readonly checksum: string
}

// Written by `npm run generate:migrations`.
const files = [
  '0001_event_log 0f99902c887ef89555aeb1bcbe385247e2f3bf03b014adfba57b28192b02be76',
  '0002_read_tables eead9d18ff2d7cf34134586b3d34715359ab0f7e637ab684fb07165d6890658a',
  '0003_commit b1b5033075d51bab70bd80af786da2df00aac86d93970df6988d715beb4ea455',
  '0004_actions b02612ee956d48fa61672ce58e4353452b5398d853ac848cb5974d783e83de38',
  '0005_log_elsewhere a1831f592e1486201b94eee31b95ccdc45379dc686881fddf1f51eebf4bd1364',
  '0006_rehearsal fecd67be11e4370655c82776f045b9ae41b114707f8da9d207bab8785f60eff3',
  '0007_workflow_runs f16fa80560b04be62082fad488b208393a1dc7bb4609a59c5359427e757fc0ba',
  '0008_queues 0a501f585787f8f18c79f79301c601fabc92d8f60a32e3dc362060319cbd9f79',
  '0009_commit_columns 573a565a9945cf0830bf3611333d5e968a12aaf4cd53414fa275ae2015312458',
  '0010_pauses 7569d22f76a9055e8b143e45f435a9a947869a232bdaf5fb73c5c27c5c7f8dec',
  '0011_schedules ad719be3a1f1b81f19d5dd90ec2ab1b72ab5b44d44fe1a62bf9aea0b64815ed5',
  '0012_lanes a70d2f34059383d0cb61f4efa0ebd51a52fbdca0b340d12509a89bb19f6359f6',
  '0013_rights 879202a4b10b729e84ea8250093490e77b8a4fb30236c4034fadb87f8d06114c',
  '0014_workers eb720874f597861deac087f8a123ef63f804270ebfe95cb93aad801334caca38',
  '0015_search c1c12946a9d9996bb10a6906a6a3ce733ac71cdb22c653a9f06a2884f8b56db1',
  '0016_causes_and_alerts 9755cd3481b03dbf8632eac0d52fe21e22389f138a4c8a9b0370888544a6fb23',
  '0017_figures 0d153b6d8b501044694def3683846a20c35ac67672d11cc2cfa0548f16c7d6df',
  '0018_sensitive faf1242473bb82762533be3bc5e820f56d1c0ca78b184a688551fe5fe188aa28',
  '0019_type_index 7b0e935c5d3821a127bd48368593d5802c19af7de028ef5c6788607261cc397d',
  '0020_plans f4883f7e4a6ff6ed40ad5d61bd43dfa67cd1afa6ece565bac6cb2b490d7b9303',
]

/**
 * The migrations of this version, in order. They are part of the code, because a bundled library has no `migrations/` of
 * its own beside it.
 */
export const knownMigrations: readonly KnownMigration[] = files.map((line, index) => {
  const [file = '', checksum = ''] = line.split(' ')
  return { version: index + 1, name: file.slice('0000_'.length), checksum }
})
