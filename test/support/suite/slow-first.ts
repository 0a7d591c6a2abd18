import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The files that take longest, longest first: one that is started last would keep one processor busy and the others idle. */
const slow = [
  'console/e2e',
  'infrastructure/log/rebuild',
  'environment/silent-database',
  'environment/replica',
  'bus/flow/pausing',
  'bus/lanes/lanes-processes',
  'bus/lanes/lanes-verified',
  'bus/working/adopting',
  'bus/crashing/schedule-kill',
  'bus/flow/schedules',
  'bus/lanes/lanes-limits',
  'service/worker-port',
  'bus/reading/model',
  'bus/sending/batch-bytes',
  'cli/program/database',
  'package/package',
  'infrastructure/server/embedded',
  'service/start',
  'proof/hostile-hour',
  'testing/agreement',
  'package/light',
  'upgrades/upgrade',
  'bus/campaigns/judged',
  'cli/program/grants',
  'eventstoredb/store/contract',
  'environment/postgres-versions',
  'cli/commands/rehearse',
  'cli/deploying/rehearse-past',
  'bus/operating/bulk-runners',
  'bus/operating/campaign',
  'docs/investigating',
  'cli/program/eventstoredb',
  'bus/crashing/kill',
  'http/server/fuzz',
  'environment/clock-off',
  'eventstoredb/store/adapter',
  'bus/operating/operations',
  'eventstoredb/mirror/intents',
  'bus/sending/sending',
  'bus/working/worker',
  'http/contract/every-route',
  'service/rehearse',
  'proof/archive',
  'examples/ai-operations',
  'eventstoredb/mirror/away',
  'eventstoredb/mirror/health',
  'environment/foreign-settings',
  'service/crash',
  'environment/roles',
  'service/npm-start',
  'cli/commands/operate',
  'cli/program/readme',
  'environment/pgbouncer',
  'bus/sending/held',
  'runs/continue',
].map(name => join(import.meta.dirname, '../..', `${name}.test.ts`))

export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = slow.filter(file => !existsSync(file))
    if (gone.length > 0)
      throw new Error(`test/support/suite/slow-first.ts names files that are not there: ${gone.join(', ')}`)
    const placeOf = ({ moduleId }: TestSpecification): number => {
      const place = slow.indexOf(moduleId)
      return place < 0 ? slow.length : place
    }
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b))
  }
}
