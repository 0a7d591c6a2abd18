import { startTestDouble } from '../../test/support/eventstoredb/server.ts'

// The test double in a process of its own: it must not share a thread with what is measured.
const double = await startTestDouble()
process.send?.(double.url)
process.once('disconnect', () => process.exit(0))
