const PREFIX = 'workflow_template-'

export const templateStream = (templateId: string): string => `${PREFIX}${templateId}`

export const parseTemplateStream = (stream: string): string | null =>
  stream.startsWith(PREFIX) ? stream.slice(PREFIX.length) : null
