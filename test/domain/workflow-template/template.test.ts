import { expect, test } from 'vitest'
import { workflowTemplate } from '../../../src/domain/workflow-template/index.ts'
import { parseTemplateStream, templateStream } from '../../../src/domain/workflow-template/names.ts'
import { scenarios } from '../../support/lives/decider.ts'

const given = scenarios(workflowTemplate)
const by = { at: '2026-11-22T10:00:00.000Z', actor: 'jane' }
const facts = { tenantId: 't1', name: 'Summaries', creditsPerRun: 2, batchMode: false }
const created = { ...by, ...facts, type: 'TemplateCreated' } as const

test('a template is made once', () => {
  given([])
    .when({ ...by, ...facts, type: 'Create' })
    .then([created])
    .again({ type: 'AlreadyThere' })
})
test('an edit changes the members that it names; the same edit again changes nothing', () => {
  given([created])
    .when({ ...by, type: 'Edit', creditsPerRun: 3 })
    .then([{ ...by, type: 'TemplateEdited', name: 'Summaries', creditsPerRun: 3 }])
    .again()
})
test('a new name with the same price is an edit', () => {
  given([created])
    .when({ ...by, type: 'Edit', name: 'Other', creditsPerRun: 2 })
    .then([{ ...by, type: 'TemplateEdited', name: 'Other', creditsPerRun: 2 }])
    .again()
})
test("a template's stream is named after it; other streams belong to no template", () => {
  expect(parseTemplateStream(templateStream('a-b'))).toBe('a-b')
  expect(templateStream('a-b')).toBe('workflow_template-a-b')
  expect(parseTemplateStream('workflow_run-a-b')).toBeNull()
})
test('archiving is final, and may be requested twice', () => {
  const archived = { ...by, type: 'TemplateArchived' } as const
  given([created])
    .when({ ...by, type: 'Archive' })
    .then([archived])
    .again()
  given([created, archived])
    .when({ ...by, type: 'Edit', name: 'Other' })
    .then({ type: 'Archived' })
})
test('an unknown template cannot be changed', () => {
  given([])
    .when({ ...by, type: 'Archive' })
    .then({ type: 'NotFound' })
  given([])
    .when({ ...by, type: 'Edit' })
    .then({ type: 'NotFound' })
})
