import { connect, createServer, type Socket } from 'node:net'

export interface CutLine {
  /** The connection string of the server through this line. */
  readonly url: string
  /** The next statement that contains `text` is run, but the line breaks before its answer. */
  readonly loseNextAnswerTo: (text: string) => void
  readonly cuts: () => number
  /** Refuses new connections; open ones go on. */
  readonly refuseNew: (refused: boolean) => void
  /** As `refuseNew`, and cuts open connections. */
  readonly refuse: (refused: boolean) => void
  /**
   * Connections stay open and new ones are accepted, but no data passes in either direction, and no end or reset. With
   * `false`, new ones work; those that were open meanwhile stay silent, as after a failover.
   */
  readonly silence: (silent?: boolean) => void
  readonly close: () => Promise<void>
}

/** A line to a database that can break between a commit and its answer. */
export const openCutLine = async (databaseUrl: string): Promise<CutLine> => {
  const url = new URL(databaseUrl)
  const target = { host: url.hostname, port: Number(url.port || 5432) }
  const sockets = new Set<Socket>()
  let armedFor: string | null = null
  let cuts = 0
  let refused = false
  let silent = false
  const mute = new WeakSet<Socket>()

  // half open: a silent peer does not close its side either
  const server = createServer({ allowHalfOpen: true }, near => {
    if (refused) return void near.destroy()
    const far = connect(target)
    if (silent) mute.add(near)
    let losing = false
    const cut = () => {
      if (!mute.has(near)) near.destroy()
      far.destroy()
    }
    near.on('end', cut)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', cut)
      socket.on('close', () => {
        sockets.delete(socket)
        cut()
      })
    }
    near.on('data', data => {
      if (mute.has(near)) return
      if (armedFor !== null && data.includes(armedFor)) {
        armedFor = null
        losing = true
      }
      far.write(data)
    })
    far.on('data', data => {
      if (mute.has(near)) return
      if (!losing) return void near.write(data)
      cuts++
      cut()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the line has no port')
  url.hostname = '127.0.0.1'
  url.port = String(address.port)
  return {
    url: url.href,
    loseNextAnswerTo: text => {
      armedFor = text
    },
    cuts: () => cuts,
    refuseNew: now => {
      refused = now
    },
    refuse: now => {
      refused = now
      if (now) for (const socket of sockets) socket.destroy()
    },
    silence: (now = true) => {
      silent = now
      if (now) for (const socket of sockets) mute.add(socket)
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
