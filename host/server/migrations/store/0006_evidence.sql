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
