-- The first shape of the store: one text for SQLite and PostgreSQL. Times are milliseconds, ids are text, sealed content
-- is a blob with the id of its key beside it. The workspace leads every key.

create table meta (name text not null primary key, value text not null);

create table host (id text not null primary key, version text not null, started_at bigint not null, seen_at bigint not null);

create table workspace (
    id text not null primary key,
    name text not null,
    locale text not null,
    time_zone text not null,
    created_at bigint not null
);

-- A Meta app. The installation's own belongs to the workspace ''.
create table app (
    workspace_id text not null,
    id text not null,
    meta_app_id text not null,
    created_at bigint not null,
    primary key (workspace_id, id)
);
create unique index app_by_id on app (id);

-- Custody of secrets: sealed by vault, never read by another room.
create table secret (
    workspace_id text not null,
    id text not null,
    kind text not null,
    owner_id text not null,
    key_id text not null,
    sealed blob not null,
    created_at bigint not null,
    retired_at bigint,
    primary key (workspace_id, id)
);
create index secret_by_owner on secret (kind, owner_id);

create table channel (
    workspace_id text not null,
    id text not null,
    app_id text not null,
    kind text not null,
    asset_id text not null,
    name text not null,
    locale text not null,
    state text not null,
    state_reason text,
    fallback text,
    backoff_until bigint not null default 0,
    created_at bigint not null,
    primary key (workspace_id, id)
);
create unique index channel_by_asset on channel (kind, asset_id);

create table contact (
    workspace_id text not null,
    id text not null,
    channel_id text not null,
    key_id text not null,
    profile blob not null,
    created_at bigint not null,
    erased_at bigint,
    primary key (workspace_id, id)
);

create table suppression (
    workspace_id text not null,
    channel_id text not null,
    person blob not null,
    reason text not null,
    created_at bigint not null,
    primary key (workspace_id, channel_id, person)
);

create table conversation (
    workspace_id text not null,
    id text not null,
    channel_id text not null,
    thread blob not null,
    contact_id text,
    mode text not null,
    mode_until bigint,
    revision bigint not null,
    arrivals bigint not null,
    first_open_at bigint,
    ready_at bigint,
    failures bigint not null,
    epoch bigint not null,
    owner text,
    lease_until bigint not null,
    floor text,
    last_contact_event_at bigint,
    last_answered_at bigint,
    created_at bigint not null,
    primary key (workspace_id, id)
);
create unique index conversation_by_thread on conversation (workspace_id, thread);
create index conversation_ready on conversation (ready_at) where ready_at is not null;

create table inbox_event (
    workspace_id text not null,
    id text not null,
    channel_id text not null,
    conversation_id text,
    lane text not null,
    kind text not null,
    at bigint not null,
    position bigint not null,
    received_at bigint not null,
    key_id text not null,
    sealed blob not null,
    state text not null,
    reason text,
    turn_id text,
    settled_at bigint,
    primary key (workspace_id, id)
);
create index inbox_event_open on inbox_event (workspace_id, conversation_id) where state = 'open' and lane = 'contact';
create index inbox_event_control on inbox_event (id) where state = 'open' and lane = 'control';

create table dedupe (
    workspace_id text not null,
    key blob not null,
    seen_at bigint not null,
    primary key (workspace_id, key)
);
create index dedupe_by_age on dedupe (seen_at);

-- Bodies that verified but could not be cut into events.
create table quarantine (
    workspace_id text not null,
    id text not null,
    app_id text not null,
    reason text not null,
    received_at bigint not null,
    key_id text not null,
    sealed blob not null,
    primary key (workspace_id, id)
);

create table message (
    workspace_id text not null,
    id text not null,
    conversation_id text not null,
    at bigint not null,
    author text not null,
    author_ref text,
    mid blob,
    key_id text not null,
    sealed blob not null,
    primary key (workspace_id, id)
);
create index message_by_conversation on message (workspace_id, conversation_id, at);
create index message_by_mid on message (workspace_id, mid) where mid is not null;

create table session (
    workspace_id text not null,
    conversation_id text not null,
    plugin_key text not null,
    key_id text not null,
    sealed blob not null,
    updated_at bigint not null,
    primary key (workspace_id, conversation_id, plugin_key)
);

create table contact_mark (
    workspace_id text not null,
    contact_id text not null,
    kind text not null,
    name text not null,
    key_id text not null,
    sealed blob not null,
    updated_at bigint not null,
    primary key (workspace_id, contact_id, kind, name)
);

create table task (
    workspace_id text not null,
    id text not null,
    conversation_id text not null,
    kind text not null,
    reason text not null,
    state text not null,
    key_id text not null,
    sealed blob not null,
    created_at bigint not null,
    closed_at bigint,
    primary key (workspace_id, id)
);

create table turn (
    workspace_id text not null,
    id text not null,
    conversation_id text not null,
    outcome text not null,
    started_at bigint not null,
    finished_at bigint not null,
    key_id text not null,
    sealed blob not null,
    primary key (workspace_id, id)
);

create table delivery (
    workspace_id text not null,
    id text not null,
    conversation_id text not null,
    channel_id text not null,
    contact_id text not null,
    message_id text not null,
    turn_id text,
    kind text not null,
    state text not null,
    reason text,
    revision bigint not null,
    attempts bigint not null,
    due_at bigint not null,
    owner text,
    lease_until bigint not null,
    mid blob,
    created_at bigint not null,
    attempted_at bigint,
    settled_at bigint,
    primary key (workspace_id, id)
);
create index delivery_due on delivery (due_at) where state in ('staged', 'retry');
create index delivery_open on delivery (workspace_id, conversation_id, id)
    where state in ('staged', 'retry', 'sending', 'unknown');
create index delivery_receipts on delivery (workspace_id, conversation_id, attempted_at) where state in ('sent', 'delivered');
create index delivery_leased on delivery (lease_until) where state in ('sending', 'unknown');
create index delivery_by_turn on delivery (workspace_id, turn_id) where turn_id is not null;
create index delivery_by_mid on delivery (workspace_id, mid) where mid is not null;

-- A plugin's file. Authority belongs to the hash, state to the plugin key.
create table plugin (
    hash text not null primary key,
    plugin_key text not null,
    plugin_id text not null,
    version text not null,
    manifest text not null,
    signer text,
    bytes blob not null,
    installed_at bigint not null
);

create table plugin_grant (
    workspace_id text not null,
    id text not null,
    channel_id text not null,
    plugin_key text not null,
    hash text not null,
    position bigint not null,
    scopes text not null,
    fingerprint text not null,
    settings text not null,
    state text not null,
    state_reason text,
    created_at bigint not null,
    revoked_at bigint,
    primary key (workspace_id, id)
);
create unique index plugin_grant_enabled on plugin_grant (workspace_id, channel_id, plugin_key) where state = 'enabled';

create table collection (
    workspace_id text not null,
    plugin_key text not null,
    name text not null,
    ownership text not null,
    declaration text not null,
    revision bigint not null,
    primary key (workspace_id, plugin_key, name)
);

create table record (
    workspace_id text not null,
    plugin_key text not null,
    collection text not null,
    id text not null,
    key bigint not null,
    contact_id text,
    revision bigint not null,
    key_id text not null,
    sealed blob not null,
    updated_at bigint not null,
    primary key (workspace_id, plugin_key, collection, id)
);
create index record_by_key on record (workspace_id, plugin_key, collection, key, id);

-- Rows are inserted unchained; the sealing job gives them their number and chains batches of them.
create table audit (
    workspace_id text not null,
    id text not null,
    at bigint not null,
    kind text not null,
    code text not null,
    plugin_hash text,
    grant_id text,
    ref text,
    subject blob,
    seq bigint,
    primary key (workspace_id, id)
);
create index audit_unsealed on audit (workspace_id, id) where seq is null;

create table audit_seal (
    workspace_id text not null,
    seq bigint not null,
    first_id text not null,
    last_id text not null,
    n_rows bigint not null,
    previous blob not null,
    hash blob not null,
    sealed_at bigint not null,
    primary key (workspace_id, seq)
);

-- A token of the private listener, by hash.
create table access_token (
    hash blob not null primary key,
    name text not null,
    created_at bigint not null,
    revoked_at bigint
);
