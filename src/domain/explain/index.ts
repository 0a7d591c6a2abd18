export { explain } from './explain.ts'
export { type Explained, type ExplainOptions, type Finding, type FindingKind, findingKinds } from './finding.ts'
export type { Sample } from './sample.ts'
