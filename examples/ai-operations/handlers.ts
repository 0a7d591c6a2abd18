import { defineHandler } from 'commandbus'
import * as t from 'io-ts'
import { type Chat, jsonOf, unreadable } from './chat.ts'

/** The payload of an operation's command, which also has `session_id` and `message_id`. */
const operation = <Parameters extends t.Mixed>(parameters: Parameters) => t.type({ parameters })

const questions = t.type({ questions: t.array(t.string) })
const feedback = t.type({ summary: t.string, strengths: t.array(t.string), improvements: t.array(t.string) })

/** Asks one question. Gives an answer of the wanted shape, or throws an error with a code of the catalogue. */
const ask = async <A>(chat: Chat, fits: t.Type<A>, task: string, given: string, signal: AbortSignal): Promise<A> => {
  const answer = jsonOf(
    await chat(
      [
        { role: 'system', content: task },
        { role: 'user', content: given },
      ],
      signal,
    ),
  )
  if (!fits.is(answer)) throw unreadable('the answer is not what was asked for')
  return answer
}

const QUESTIONS = 'Write interview questions about the topic. Answer with JSON: {"questions": ["..."]}'
const FEEDBACK =
  'Analyse the feedback of an interview. Answer with JSON: {"summary": "...", "strengths": ["..."], "improvements": ["..."]}'

/** Handlers for domain `operations`. */
export const aiHandlers = (chat: Chat) => ({
  question_generation: defineHandler({
    payload: operation(t.type({ topic: t.string })),
    handle: ({ parameters }, { signal }) => ask(chat, questions, QUESTIONS, parameters.topic, signal),
  }),
  feedback_analysis: defineHandler({
    payload: operation(t.type({ feedback: t.string })),
    handle: ({ parameters }, { signal }) => ask(chat, feedback, FEEDBACK, parameters.feedback, signal),
  }),
})
