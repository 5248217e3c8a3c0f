-- Names of attributes and tags stand as an HMAC, and readable only inside the sealed content. What stood here named them in
-- clear and was read by nobody yet: it goes.

drop table contact_mark;

create table contact_mark (
    workspace_id text not null,
    contact_id text not null,
    kind text not null,
    name blob not null,
    key_id text not null,
    sealed blob not null,
    updated_at bigint not null,
    primary key (workspace_id, contact_id, kind, name)
);

-- A Page, account or number is connected once; a channel that was removed does not stand in the way of a new one.
drop index channel_by_asset;
create unique index channel_by_asset on channel (kind, asset_id) where state <> 'disconnected';
