-- Work that a restore has put aside is looked for by workspace, and there is little of it: partial indexes that cost ordinary
-- rows nothing.
create index delivery_restored on delivery (workspace_id, id) where state = 'held' and reason = 'restored';
create index inbox_event_restored on inbox_event (workspace_id, id) where state = 'held' and reason = 'restored';
