export { explain } from './explain.ts'
export type { Explained, Finding, FindingKind } from './finding.ts'
export type { Sample } from './sample.ts'
