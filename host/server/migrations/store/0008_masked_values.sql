-- What the tokens of masked texts stand for, under the key of the contact who wrote it.
create table masked_value (
    workspace_id text not null,
    contact_id text not null,
    token text not null,
    key_id text not null,
    sealed blob not null,
    seen_at bigint not null,
    primary key (workspace_id, contact_id, token)
);
