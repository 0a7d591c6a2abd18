import { expect, test } from 'vitest'
import { endOfTransaction } from '../../src/infrastructure/rehearsal/statements.ts'

test.each([
  'commit',
  '  COMMIT AND CHAIN',
  'end',
  'rollback',
  'abort',
  'begin',
  'start transaction read write',
  "prepare transaction 'x'",
  "rollback prepared 'x'",
  'set default_transaction_read_only = off',
  'SET SESSION default_transaction_read_only TO off',
  'set session characteristics as transaction read write',
  'reset all',
  'insert into a values (1); commit',
  "insert into a values ('it''s'); commit; insert into a values (2)",
  '/* a note */ commit',
  '/* a /* nested */ note */ commit',
  '-- a note\ncommit',
  "select E'\\'; -- ' ; commit",
  'select $a$ ; begin $a$; commit',
  'select "a;b"; commit',
  "select 'a' -- '\n; commit",
])('%j ends its transaction', sql => {
  expect(endOfTransaction(sql)).not.toBeNull()
})

test.each([
  "insert into a values ('; commit')",
  'select "commit; rollback" from a',
  'select 1 -- ; commit',
  'select 1 /* ; commit */',
  'select $$ ; commit; $$',
  "select E'it\\'s; commit'",
  'savepoint s',
  'release savepoint s',
  'rollback to s',
  'rollback work to savepoint s',
  'rollback transaction to s',
  'set local statement_timeout = 5',
  'reset search_path',
  'update a set "end" = 1',
  'do $$ begin perform 1; end $$',
  '',
])('%j does not', sql => {
  expect(endOfTransaction(sql)).toBeNull()
})
