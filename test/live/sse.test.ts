import { once } from 'node:events'
import { connect as tcp } from 'node:net'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { InvalidInputError } from '../../src/index.ts'
import { createPostgresLiveEvents } from '../../src/infrastructure/live/postgres-live-events.ts'
import { resumeAfter, writeEvents } from '../../src/infrastructure/live/sse.ts'
import { createTestBus, until } from '../support/bus.ts'
import { atEnd, connect, type Frame, frames, lineOf, logOf, serveSse } from './support.ts'

const openLive = async (options: Parameters<typeof createPostgresLiveEvents>[1] = {}) => {
  const bus = await createTestBus()
  const live = createPostgresLiveEvents(bus.pool, options)
  atEnd(live.stop)
  return { ...bus, live }
}

describe('server-sent events', () => {
  test('have an id to resume from, the event name `message` that every client receives, and the event as JSON', async () => {
    const { bus, live } = await openLive()
    const { url, ends } = await serveSse(live)
    const response = await connect(`${url}?domain=payments`)
    expect(response.statusCode).toBe(200)
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    })
    const stream = frames(response)
    expect((await stream.next()).value).toEqual({ retry: '2000', id: expect.stringMatching(/^\d+\/\d+$/) })
    await bus.send('billing', 'Invoice', {})
    const { commandId } = await bus.send('payments', 'Charge', {}, { correlationId: 'line\nbreak' })
    const { value } = await stream.next()
    expect(value).toMatchObject({
      event: 'message',
      data: { commandId, correlationId: 'line\nbreak', status: 'PENDING' },
    })
    expect((value as Frame).id).toBe((value as Frame).data?.position)
    response.destroy()
    await until(
      async () => ends,
      all => all.length === 1,
    )
    expect(ends).toEqual([{ reason: 'closed', sent: 1 }])
    await until(
      async () => live.running(),
      running => !running,
    )
  })

  test('a stream without events is kept alive, and its id moves past events that the filter left out', async () => {
    const { bus, live } = await openLive()
    const { url } = await serveSse(live, { heartbeatMs: 20 })
    const stream = frames(await connect(`${url}?domain=payments`))
    const { value: opening } = await stream.next()
    expect((await stream.next()).value).toEqual({ comment: 'still here', id: opening?.id })
    await bus.send('billing', 'Invoice', {})
    for await (const frame of stream) if (frame.id !== opening?.id) break
    await stream.return(undefined)
  })

  test('a client that reads nothing is disconnected, and can resume', async () => {
    const { bus, pool, live } = await openLive()
    const { url, ends } = await serveSse(live, { stalledMs: 500 })
    const first = await connect(url)
    const { value: opening } = await frames(first).next()
    first.destroy()

    const commands = Array.from({ length: 10_000 }, () => ({
      commandType: 'Charge',
      data: {},
      correlationId: 'x'.repeat(128),
    }))
    await bus.sendBatch('payments', commands)
    await bus.sendBatch('payments', commands)
    // a client that asks and never reads; its own buffers and the kernel's fill up first
    const socket = tcp(Number(new URL(url).port), '127.0.0.1')
    socket.pause()
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(`GET / HTTP/1.1\r\nhost: x\r\nlast-event-id: ${opening?.id}\r\n\r\n`)
    await until(
      async () => ends,
      all => all.some(end => end.reason === 'slow'),
    )
    expect(ends.find(end => end.reason === 'slow')?.sent).toBeLessThan(20_000)

    let text = ''
    socket.on('data', chunk => {
      text += chunk
    })
    socket.resume()
    await once(socket, 'close')
    const whole = text.slice(0, text.lastIndexOf('\n\n'))
    const received = [...whole.matchAll(/^data: .*"stream":"([^"]+)","revision":(\d+),"type":"(\w+)"/gm)]
    const lastId = [...whole.matchAll(/^id: (.*)$/gm)].at(-1)?.[1]
    const seen = received.map(([, stream, revision, type]) => `${stream}@${revision} ${type}`)
    const response = await connect(url, lastId)
    for await (const { data } of frames(response)) {
      if (data !== undefined) seen.push(lineOf(data))
      if (seen.length === 20_000) break
    }
    expect(received.length).toBeGreaterThan(0)
    expect(seen).toEqual(await logOf(pool))
  })

  test('a client of the shared stream that was too slow gets what it missed when it reads again', async () => {
    const { bus, pool, live } = await openLive({ maxBuffered: 5 })
    const out = new PassThrough({ readableHighWaterMark: 1, writableHighWaterMark: 1 })
    const ended = writeEvents(out, await live.subscribe({ after: 'now' }), { stalledMs: 60_000 })
    // reads the start of the stream and nothing after it
    out.read()
    await until(
      async () => live.following(),
      following => following === 1,
    )
    let seen = 0
    const witness = await live.subscribe({ after: 'now' })
    const watching = (async () => {
      for await (const _ of witness) seen++
    })()
    for (let i = 1; i <= 20; i++) {
      await bus.send('payments', 'Charge', {})
      await until(
        async () => seen,
        count => count === i,
      )
    }
    let text = ''
    out.on('data', chunk => {
      text += chunk
    })
    const got = () => [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => lineOf(JSON.parse(data)))
    await until(
      async () => got().length,
      length => length === 20,
    )
    expect(got()).toEqual(await logOf(pool))
    witness.close()
    await watching
    out.destroy()
    expect(await ended).toEqual({ reason: 'closed', sent: 20 })
  })

  test('an abort and a stop end the stream regularly', async () => {
    const { live } = await openLive()
    const abort = new AbortController()
    const { url, ends } = await serveSse(live, { signal: abort.signal })
    const response = await connect(url)
    const stream = frames(response)
    await stream.next()
    abort.abort()
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(response.complete).toBe(true)
    expect(ends).toEqual([{ reason: 'closed', sent: 0 }])

    const other = await serveSse(live)
    const last = await connect(other.url)
    const rest = frames(last)
    await rest.next()
    await live.stop()
    expect(await rest.next()).toEqual({ done: true, value: undefined })
    expect(last.complete).toBe(true)
  })

  test('an invalid Last-Event-ID is refused before anything is written', async () => {
    const { live } = await openLive()
    const { url } = await serveSse(live)
    expect((await connect(url, 'abc')).statusCode).toBe(400)
    expect((await connect(url, '9000000000/1')).statusCode).toBe(400)
    expect(() => resumeAfter('1/2; drop')).toThrow(InvalidInputError)
    expect(() => resumeAfter(['1/2', '1/3'])).toThrow(InvalidInputError)
    expect(resumeAfter(undefined)).toBe('now')
    expect(resumeAfter('')).toBe('now')
    expect(resumeAfter('123/45')).toBe('123/45')
  })
})
