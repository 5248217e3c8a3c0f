-- The keyring: data keys wrapped by an epoch key. Never in a backup's data part. `label` is the day of an intake key, the
-- contact of a contact key, '' otherwise.
create table wrapped_key (
    workspace_id text not null,
    id text not null,
    purpose text not null,
    label text not null,
    epoch bigint not null,
    wrapped blob not null,
    created_at bigint not null,
    primary key (workspace_id, id)
);
create unique index wrapped_key_by_label on wrapped_key (workspace_id, purpose, label);
create index wrapped_key_by_epoch on wrapped_key (epoch);

-- Epoch keys lie in files outside the database; here stands which one is current. A host that wraps a key touches the row of
-- its epoch in the same transaction, so that an epoch cannot be retired under it. `fingerprint` tells a wrong file.
create table epoch (
    n bigint not null primary key,
    state text not null,
    fingerprint blob not null,
    created_at bigint not null
);
