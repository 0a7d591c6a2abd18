// A user of the embedded server in a separate process: node embedded-owner.mjs <compiled src> <home> [supervise]
// Prints what startEmbedded gave as a line of JSON; releases at the end of its input.
const [directory, home, supervise] = process.argv.slice(2)
const { startEmbedded } = await import(`${directory}/infrastructure/postgres/embedded/index.js`)

try {
  const server = await startEmbedded({ home, supervise: supervise !== undefined, settings: { fsync: 'off' } })
  console.log(JSON.stringify(server))
  for await (const _ of process.stdin);
  await server.release()
} catch (error) {
  console.log(JSON.stringify({ name: error.name, code: error.code, message: error.message }))
  process.exitCode = 1
}
