-- Until when an app or a Page sends one by one, or not at all, because of what Meta says of its allowance. Times are 0 where it
-- never said so.
alter table channel add column slow_until bigint not null default 0;
alter table app add column backoff_until bigint not null default 0;
alter table app add column slow_until bigint not null default 0;

-- What is due is looked for workspace by workspace, so that nobody's backlog stands before another's. A host of an older version
-- beside this one works on, more slowly.
drop index conversation_ready;
create index conversation_ready on conversation (workspace_id, ready_at) where ready_at is not null;
drop index delivery_due;
create index delivery_due on delivery (workspace_id, channel_id, due_at) where state in ('staged', 'retry');
