import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { TemplateEvent } from './events.ts'
import type { TemplateIntent } from './intents.ts'
import type { TemplateRejection } from './rejections.ts'
import type { TemplateState } from './state.ts'

type Decision = Either<TemplateRejection, readonly TemplateEvent[]>

/** Which events an intent causes. Archiving again, and an edit that changes nothing, cause none. */
export const decide = (intent: TemplateIntent, state: TemplateState): Decision => {
  if (intent.type === 'Create') {
    const { type: _, ...created } = intent
    return state.status === 'NONE' ? right([{ ...created, type: 'TemplateCreated' }]) : left({ type: 'AlreadyThere' })
  }
  if (state.status === 'NONE') return left({ type: 'NotFound' })
  const { at, actor } = intent
  switch (intent.type) {
    case 'Edit': {
      if (state.status === 'ARCHIVED') return left({ type: 'Archived' })
      const { name = state.name, creditsPerRun = state.creditsPerRun } = intent
      const same = name === state.name && creditsPerRun === state.creditsPerRun
      return right(same ? [] : [{ type: 'TemplateEdited', at, actor, name, creditsPerRun }])
    }
    case 'Archive':
      return right(state.status === 'ARCHIVED' ? [] : [{ type: 'TemplateArchived', at, actor }])
  }
}
