-- Looking at a running installation and cleaning up after it. Rows in these states are few, so that their indexes cost the
-- way of a message nothing.
create index inbox_event_parked on inbox_event (workspace_id, id) where state = 'parked';
create index delivery_put_aside on delivery (workspace_id, id) where state in ('held', 'dead');
create index task_open on task (workspace_id, id) where state = 'open';

-- What a sweep removed, by the day (since 1970-01-01, UTC) on which it came: rows that are there and these add up to all that
-- ever were. A reason that is not there is ''.
create table event_count (
    workspace_id text not null,
    day bigint not null,
    state text not null,
    reason text not null,
    n_events bigint not null,
    primary key (workspace_id, day, state, reason)
);

create table delivery_count (
    workspace_id text not null,
    day bigint not null,
    state text not null,
    reason text not null,
    n_deliveries bigint not null,
    primary key (workspace_id, day, state, reason)
);
