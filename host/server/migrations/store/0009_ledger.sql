-- Grants whose plugin has failed: how often in a row, and until when it is not asked. A row stays while it counts nothing, so that
-- the next failure tells no other host anew. Times are empty while the plugin is asked.
create table plugin_failure (
    workspace_id text not null,
    grant_id text not null,
    n_failures bigint not null,
    code text not null,
    reason text not null,
    failed_at bigint not null,
    suspended_at bigint,
    probe_at bigint,
    n_probes bigint not null,
    primary key (workspace_id, grant_id)
);

-- Who read what of a contact is asked by the contact.
create index audit_by_subject on audit (workspace_id, subject, id) where subject is not null;
