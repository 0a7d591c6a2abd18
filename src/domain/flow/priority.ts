/** In the order in which workers prefer them. */
export const priorities = ['high', 'normal', 'low'] as const

export type Priority = (typeof priorities)[number]

/** A priority that has a queue of its own, and that events name. */
export type OtherPriority = Exclude<Priority, 'normal'>

export const otherPriorities = ['high', 'low'] as const satisfies readonly OtherPriority[]
