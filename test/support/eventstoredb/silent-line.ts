import { connect, createServer, type Socket } from 'node:net'
import { closeAfterTest } from './bus.ts'

export interface SilentLine {
  /** The same connection string, over this line. */
  readonly url: string
  /** Connections stay open and are accepted, but no data passes. */
  readonly hush: () => void
  /** Lets the data pass that was held back. */
  readonly heal: () => void
}

/** A TCP proxy to a server that can stop passing data without closing a connection. */
export const openSilentLine = async (url: string): Promise<SilentLine> => {
  const port = Number(/:(\d+)\?/.exec(url)?.[1])
  const sockets = new Set<Socket>()
  let isSilent = false
  const carry = (from: Socket, to: Socket): void => {
    sockets.add(from)
    from.on('data', data => to.write(data))
    from.on('error', () => {})
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
    if (isSilent) from.pause()
  }
  const server = createServer(near => {
    const far = connect(port, '127.0.0.1')
    carry(near, far)
    carry(far, near)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closeAfterTest(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  const own = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: url.replace(`:${port}?`, `:${own}?`),
    hush: () => {
      isSilent = true
      for (const socket of sockets) socket.pause()
    },
    heal: () => {
      isSilent = false
      for (const socket of sockets) socket.resume()
    },
  }
}
