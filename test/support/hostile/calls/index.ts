import type { NastyCall } from './call.ts'
import { commandsOfOthers } from './commands-of-others.ts'
import { idsOfOthers } from './ids-of-others.ts'
import { oddQuestions } from './odd-questions.ts'
import { oddSends } from './odd-sends.ts'
import { runsOfOthers } from './runs-of-others.ts'

export const nastyCalls: readonly NastyCall[] = [
  ...idsOfOthers,
  ...commandsOfOthers,
  ...runsOfOthers,
  ...oddSends,
  ...oddQuestions,
]
