import type { Dialog, OperatorAction } from './action.ts'

/** The most characters of a note, of a tag and of an assignee's name, and the most tags. */
export const MAX_NOTE = 2_000
export const MAX_TAG = 50
export const MAX_TAGS = 20
export const MAX_ASSIGNEE = 200

/** What operators write down about parked commands. The commands stay parked, and nobody gets a message. */
export const careActions = {
  note: {
    intent: 'OperatorNote',
    permission: 'operate',
    route: 'noteCommand',
    path: 'note',
    http: { method: 'POST', path: 'notes' },
    summary: 'Add a note to a parked command; it stays parked. The audit has the notes',
    fills: null,
    about: 'add a note to parked commands',
    done: ({ commandId }) => `Command ${commandId} has the note; it stays parked.`,
    options: {
      text: {
        kind: 'text',
        required: true,
        max: MAX_NOTE,
        flag: '--text <text>',
        about: 'the note, up to 2,000 characters',
        label: 'Note (required)',
      },
    },
    verb: 'Note',
    past: 'Noted',
    intro: {
      one: 'It stays in troubleshooting; other operators read the note there.',
      many: 'They stay in troubleshooting; each gets this note, for other operators to read.',
    },
    toast: 'The note is added',
  },
  assign: {
    intent: 'OperatorAssign',
    permission: 'operate',
    route: 'assignCommand',
    path: 'assign',
    http: { method: 'PUT', path: 'assignee' },
    summary: 'Say who takes care of a parked command, or null for nobody; it stays parked',
    fills: null,
    about: 'say who takes care of parked commands',
    done: ({ commandId }) => `Command ${commandId} is assigned; it stays parked.`,
    options: {
      assignee: {
        kind: 'person',
        required: true,
        max: MAX_ASSIGNEE,
        flag: '--assignee <who>',
        about: "who takes care of it; '' for nobody",
        label: 'Assignee (empty: nobody)',
      },
    },
    verb: 'Assign',
    past: 'Assigned',
    intro: {
      one: 'It stays in troubleshooting, and shows who takes care of it.',
      many: 'They stay in troubleshooting, and show who takes care of them.',
    },
    toast: 'The assignee is changed',
  },
  tag: {
    intent: 'OperatorTag',
    permission: 'operate',
    route: 'tagCommand',
    path: 'tag',
    http: { method: 'PUT', path: 'tags' },
    summary: 'Replace the tags of a parked command, up to 20 of 50 characters; an empty list removes them',
    fills: null,
    about: 'replace the tags of parked commands',
    done: ({ commandId }) => `Command ${commandId} has these tags; it stays parked.`,
    options: {
      tags: {
        kind: 'tags',
        required: true,
        flag: '--tags <tags>',
        about: "tags with commas between them, instead of those it has; '' for none",
        label: 'Tags, with commas between them (empty: none)',
        hint: { one: 'They replace the tags that it has.', many: 'They replace the tags that each of them has.' },
      },
    },
    verb: 'Tag',
    past: 'Tagged',
    intro: {
      one: 'It stays in troubleshooting, where the list can be filtered by a tag.',
      many: 'They stay in troubleshooting, where the list can be filtered by a tag.',
    },
    toast: 'The tags are changed',
  },
} as const satisfies { readonly [action: string]: OperatorAction & Dialog }
