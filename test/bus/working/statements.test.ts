import { expect, test } from 'vitest'
import { endOfTransaction, leavesTraces } from '../../../src/infrastructure/worker/client/statements.ts'

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

test.each([
  'set search_path = other',
  'SET SESSION statement_timeout = 5',
  'set role other',
  "select set_config('search_path', 'other', false)",
  'select pg_advisory_lock(1)',
  'select pg_try_advisory_lock_shared (1)',
  'listen news',
  'prepare p as select 1',
  'create temp table t (id int)',
  'create local temporary table t (id int)',
  'create or replace temp view v as select 1',
  'create table pg_temp.t (id int)',
  'create function pg_temp.f() returns int language sql as $$ select 1 $$',
  'select 1 as a into temporary t',
  'declare c cursor with hold for select 1',
  'do $$ begin end $$',
  'call something()',
  'select 1; set role other',
])('G9: %j may leave something on its session', sql => {
  expect(leavesTraces(sql)).toBe(true)
})

test.each([
  'set local search_path = other',
  'set constraints all deferred',
  'set transaction isolation level serializable',
  'select pg_advisory_xact_lock(1)',
  "select 'set role other; listen news'",
  'update settings set name = 1',
  'insert into temp_tables (temporary) values (1)',
  'declare c cursor for select 1',
  'create table temperature (id int)',
])('G9: %j leaves nothing on its session', sql => {
  expect(leavesTraces(sql)).toBe(false)
})
