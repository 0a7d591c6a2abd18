import { PermanentCommandError } from 'commandbus'

const LONGEST_BYTES = 1_048_576

/** The body as text, up to a limit, so that an endless answer does not fill the memory. */
export const readText = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > LONGEST_BYTES) throw new PermanentCommandError('UNREADABLE_ANSWER', 'the answer is longer than 1 MiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
