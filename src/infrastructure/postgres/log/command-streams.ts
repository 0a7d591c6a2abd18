import { commandStreamRange } from '../../../domain/command/names.ts'

/** SQL: the stream of the command of a row that has its domain and id. The planner inlines the function. */
export const streamOf = (row: string): string => `command_bus_command_stream(${row}.domain, ${row}.command_id)`

const [first, end] = commandStreamRange()

/** SQL: whether a stream is a command's. */
export const ofCommands = (stream: string): string => `${stream} >= '${first}' and ${stream} < '${end}'`

const ID_LENGTH = 36

/** SQL: the parts of a command's stream. */
export const commandIdIn = (stream: string): string => `right(${stream}, ${ID_LENGTH})`
export const domainIn = (stream: string): string =>
  `substr(${stream}, ${first.length + 1}, length(${stream}) - ${first.length + 1 + ID_LENGTH})`
