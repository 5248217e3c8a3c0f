-- What Meta says of a message before the answer to its send has told us its id: kept for a while, until the answer or an echo
-- comes. `up_to` is a watermark of the whole conversation, whose `mid` is empty.
create table early_receipt (
    workspace_id text not null,
    conversation_id text not null,
    mid blob not null,
    state text not null,
    up_to bigint,
    seen_at bigint not null,
    primary key (workspace_id, conversation_id, mid, state)
);
create index early_receipt_seen on early_receipt (seen_at);

-- When Meta took it, by Meta's clock: watermarks are by that clock too.
alter table delivery add column meta_at bigint;

-- Which delivery a task tells of, so that it is closed when the delivery turns out to have arrived.
alter table task add column delivery_id text;
create index task_of_delivery on task (workspace_id, delivery_id) where state = 'open' and delivery_id is not null;

-- Deliveries that evidence may still settle after they were held; there are few.
create index delivery_doubted on delivery (workspace_id, conversation_id, id) where state = 'held' and reason = 'unknown';

-- Deliveries that are looked up, as nobody knows what became of them. `due_at` is empty when there is nothing to look for any more;
-- the row stays for a while, as it says when the channel was last asked.
create table delivery_lookup (
    workspace_id text not null,
    delivery_id text not null,
    channel_id text not null,
    due_at bigint,
    looked_at bigint,
    n_looks bigint not null,
    absent_at bigint,
    primary key (workspace_id, delivery_id)
);
create index delivery_lookup_due on delivery_lookup (due_at) where due_at is not null;
create index delivery_lookup_next on delivery_lookup (workspace_id, channel_id, due_at, delivery_id) where due_at is not null;
create index delivery_lookup_last on delivery_lookup (workspace_id, channel_id, looked_at) where looked_at is not null;
create index delivery_lookup_over on delivery_lookup (looked_at) where due_at is null;
