// A program beside the bus, in a process of its own: node adopting-child.mjs <send|work> <compiled src> <database url> <json>
// `send` knows pgmq only, and sends as another library does; `work` is a worker of the bus that adopts.
const [, , role, compiled, databaseUrl, json] = process.argv
const given = JSON.parse(json)
const say = line => process.stdout.write(`${line}\n`)

const uuid = n => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

/** Message `n`, and whether it has a reply: most are as they should be, each tenth is not. */
const messageOf = n => {
  const whole = {
    command_id: uuid(n),
    command_type: 'Charge',
    domain: 'payments',
    correlation_id: uuid(n + 500_000),
    reply_to: 'shop_replies',
    created_at: '2024-05-01T10:00:00.000Z',
    data: { n },
  }
  switch (n % 20) {
    case 1:
      return { message: { ...whole, created_at: undefined }, replies: true }
    case 2:
      return { message: { ...whole, correlation_id: `order-${n}` }, replies: true }
    case 3:
      return { message: { ...whole, correlation_id: null, created_at: undefined, reply_to: null } }
    case 4: {
      const { command_type: type, ...rest } = whole
      return { message: { ...rest, type }, replies: true }
    }
    case 5:
      return { message: { ...whole, command_id: `order-${n}` }, replies: true }
    case 6:
      return { message: { ...whole, command_type: 'Charge it!' }, refused: 'type' }
    case 7:
      return { message: { ...whole, reply_to: 'Shop Replies' }, refused: 'reply' }
    case 8:
      // sent again, by a sender that had no answer: whichever is adopted first is the command
      return { message: messageOf(n - 8).message, refused: 'twice' }
    case 9:
      return { message: [n], refused: 'form' }
    case 10:
      return { message: { ...whole, correlation_id: n }, replies: true, anyCorrelation: true }
    default:
      return { message: whole, replies: true }
  }
}

if (role === 'send') {
  const { default: pg } = await import('pg')
  const client = new pg.Client(databaseUrl)
  await client.connect()
  const refused = { type: 0, reply: 0, twice: 0, form: 0 }
  const awaited = new Set()
  let replies = 0
  let expected = 0
  let wrong = 0
  const readReplies = async () => {
    const { rows } = await client.query(`select msg_id, message from pgmq.read('shop_replies', 30, 100)`)
    if (rows.length === 0) return
    for (const { message } of rows) {
      replies++
      const isOurs = message.outcome === 'SUCCESS' && awaited.delete(message.correlation_id)
      if (!isOurs && message.result?.anyCorrelation !== true) wrong++
    }
    await client.query(`select pgmq.delete('shop_replies', $1::bigint[])`, [rows.map(row => row.msg_id)])
  }
  for (let n = 0; n < given.count; n++) {
    const { message, replies: answers = false, refused: why, anyCorrelation = false } = messageOf(n)
    if (why !== undefined) refused[why]++
    if (answers) expected++
    if (answers && !anyCorrelation) awaited.add(message.correlation_id)
    if (anyCorrelation) message.data.anyCorrelation = true
    await client.query(`select pgmq.send('payments__commands', $1::jsonb)`, [JSON.stringify(message)])
    if (n % 20 === 0) await readReplies()
    if (n === Math.floor(given.count / 2)) say('half')
  }
  say('sent')
  while (replies < expected) {
    await readReplies()
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  await client.end()
  say(`done ${JSON.stringify({ refused, replies, wrong, unanswered: awaited.size })}`)
} else {
  const { createCommandBus } = await import(`${compiled}/index.js`)
  const bus = createCommandBus({ databaseUrl, ...given.log })
  const worker = bus.worker({
    domain: 'payments',
    adoptStrangers: true,
    leaseSeconds: given.leaseSeconds,
    pollMs: 50,
    handlers: { Charge: async data => data },
  })
  await worker.start()
  say('started')
  process.on('SIGTERM', () => bus.close().then(() => process.exit(0)))
}
