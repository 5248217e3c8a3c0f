//! Answers what a plugin asks during a call, within its grant: records, fields of the contact, history. What it writes is
//! kept until the turn commits, what it reads is on record for the audit log and for the check before the commit. Decides no
//! permission: the grant's scopes say what may be asked. Models, endpoints and media answer `unavailable` in this version.

mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bellhop_domain::host_call::{
    Completion, Entry as RecordEntry, Hit, HttpRequest, HttpResponse, Line, Prompt, Query,
};
use bellhop_domain::id::{ContactId, ConversationId, RecordId, TurnId};
use bellhop_domain::mask::Value;
use bellhop_domain::plugin::Fault;
use bellhop_sandbox::{HostCalls, Reply};

use crate::audit::{Code, Entry, Kind, Reference};
use crate::conversation;
use crate::db::Db;
use crate::permission::Masker;
use crate::record::{Change, Range, RecordWrite, Records};
use crate::registry::{EnabledPlugin, TextScope};
use crate::vault::Vault;

/// Most lines of history that any grant gives: a screen full, twice.
const MAX_HISTORY_LINES: u32 = 100;

/// What the broker reads from; clones are cheap.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The store.
    pub db: Db,
    /// The keys.
    pub vault: Vault,
    /// The records.
    pub records: Records,
}

/// For whom and about whom a call is.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The plugin as it was enabled.
    pub plugin: Arc<EnabledPlugin>,
    /// The turn.
    pub turn: TurnId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The contact.
    pub contact: ContactId,
    /// The contact's name in the audit log.
    pub subject: Option<[u8; 32]>,
    /// The kinds of personal data in the event that the plugin is shown.
    pub shown: Vec<Code>,
    /// Masks what the contact wrote.
    pub masker: Masker,
    /// What the tokens in the event stand for.
    pub masked: Vec<Value>,
}

/// Something that was read: the ground that the plugin's answer stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadMark {
    /// One record; no revision when there was none.
    Record {
        /// Collection.
        collection: String,
        /// Which.
        id: RecordId,
        /// As it was.
        revision: Option<i64>,
    },
    /// A range, with what stood in it.
    Range {
        /// Collection.
        collection: String,
        /// Which.
        range: Range,
        /// Ids and revisions, in order.
        found: Vec<(RecordId, i64)>,
    },
    /// A search, with what came out.
    Search {
        /// Collection.
        collection: String,
        /// Ids and revisions, best first.
        found: Vec<(RecordId, i64)>,
    },
    /// A field of the contact.
    ContactField(String),
    /// The last lines of the conversation, at most so many.
    History(u32),
}

/// What a call leaves for the turn's commit.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Writes, at most one per record.
    pub writes: Vec<RecordWrite>,
    /// Reads, in their order.
    pub reads: Vec<ReadMark>,
    /// A row for each kind of personal data that was read.
    pub audit: Vec<Entry>,
    /// What the tokens stand for that the plugin was shown.
    pub masked: Vec<Value>,
    /// The host failed while it answered: what the plugin made of that is not its own fault.
    pub has_stumbled: bool,
}

/// The host of one call of one plugin.
#[derive(Debug)]
pub struct Broker {
    sources: Sources,
    caller: Caller,
    /// By collection and id.
    pending: BTreeMap<(String, RecordId), Pending>,
    reads: Vec<ReadMark>,
    personal: BTreeSet<Code>,
    has_stumbled: bool,
}

/// A write that waits.
#[derive(Debug, Clone)]
struct Pending {
    contact: Option<ContactId>,
    change: Change,
}

impl Broker {
    /// A broker for one call.
    pub fn new(sources: Sources, caller: Caller) -> Self {
        Self {
            sources,
            caller,
            pending: BTreeMap::new(),
            reads: Vec::new(),
            personal: BTreeSet::new(),
            has_stumbled: false,
        }
    }

    /// What the call did.
    pub fn finish(self) -> Ledger {
        let plugin = &self.caller.plugin;
        let codes: BTreeSet<Code> = self.personal.into_iter().chain(self.caller.shown.iter().cloned()).collect();
        let entry = |code| Entry {
            plugin_hash: Some(plugin.hash.clone()),
            grant_id: Some(plugin.grant_id.clone()),
            reference: Some(Reference::from(&self.caller.turn)),
            subject: self.caller.subject,
            ..Entry::new(plugin.workspace.clone(), Kind::Read, code)
        };
        let audit = codes.into_iter().map(entry).collect();
        let write = |((name, id), pending): ((String, RecordId), Pending)| RecordWrite {
            collection: records::key(&self.caller, name),
            id,
            contact: pending.contact,
            change: pending.change,
        };
        let writes = self.pending.into_iter().map(write).collect();
        Ledger { writes, reads: self.reads, audit, masked: self.caller.masked, has_stumbled: self.has_stumbled }
    }

    async fn field(&mut self, name: String) -> Result<Option<String>, Fault> {
        if !self.caller.plugin.scopes.contact_fields.contains(&name) {
            return Err(Fault::denied(&format!("contact-fields:{name}")));
        }
        let value = match name.as_str() {
            "name" => {
                let id = (self.caller.plugin.workspace.clone(), self.caller.contact.clone());
                let found = conversation::contacts_find(&self.sources.db, &self.sources.vault, &[id]).await;
                let mut found = found.map_err(|error| internal("contact", &error))?;
                found.remove(&self.caller.contact).and_then(|contact| contact.profile.name)
            }
            _ => return Err(unavailable("this field of the contact is not known to this version of the host")),
        };
        self.reads.push(ReadMark::ContactField(name));
        if value.is_some() {
            self.personal.insert(Code::of("contact-name"));
        }
        Ok(value)
    }

    /// Keeps in mind when the host failed.
    fn noted<T>(&mut self, reply: Result<T, Fault>) -> Result<T, Fault> {
        self.has_stumbled |= reply.as_ref().is_err_and(|fault| fault.code == Fault::INTERNAL);
        reply
    }

    /// Whether personal data crosses to this plugin as tokens.
    fn is_masked(&self) -> bool {
        self.caller.plugin.scopes.text != TextScope::Clear
    }

    async fn recent(&mut self, limit: u32) -> Result<Vec<Line>, Fault> {
        let scopes = &self.caller.plugin.scopes;
        let limit = limit.min(scopes.history_lines).min(MAX_HISTORY_LINES);
        // Lines are text.
        if scopes.text == TextScope::None {
            return Err(Fault::denied("text"));
        }
        if limit == 0 {
            return Err(Fault::denied("history-lines"));
        }
        let (workspace, id) = (&self.caller.plugin.workspace, &self.caller.conversation);
        let lines = conversation::history(&self.sources.db, &self.sources.vault, workspace, id, limit).await;
        let mut lines = lines.map_err(|error| internal("history", &error))?;
        if self.is_masked() {
            for line in &mut lines {
                let masked = self.caller.masker.mask(&line.text);
                self.caller.masked.extend(masked.values);
                line.text = masked.text;
            }
        }
        self.reads.push(ReadMark::History(limit));
        if !lines.is_empty() {
            self.personal.insert(Code::of("history"));
        }
        Ok(lines)
    }
}

impl HostCalls for Broker {
    fn records_get(&mut self, collection: String, id: String) -> Reply<'_, Option<RecordEntry>> {
        Box::pin(async move {
            let reply = self.record_get(collection, id).await;
            self.noted(reply)
        })
    }

    fn records_find(&mut self, query: Query) -> Reply<'_, Vec<RecordEntry>> {
        Box::pin(async move {
            let reply = self.record_find(query).await;
            self.noted(reply)
        })
    }

    fn records_search(
        &mut self,
        collection: String,
        text: String,
        language: Option<String>,
        limit: u32,
    ) -> Reply<'_, Vec<Hit>> {
        Box::pin(async move {
            let reply = self.record_search(collection, text, language, limit).await;
            self.noted(reply)
        })
    }

    fn records_put(&mut self, collection: String, id: Option<String>, key: i64, json: String) -> Reply<'_, String> {
        Box::pin(async move {
            let reply = self.record_put(collection, id, key, json).await;
            self.noted(reply)
        })
    }

    fn records_remove(&mut self, collection: String, id: String) -> Reply<'_, ()> {
        Box::pin(async move {
            let reply = self.record_remove(collection, id).await;
            self.noted(reply)
        })
    }

    fn contact_field(&mut self, name: String) -> Reply<'_, Option<String>> {
        Box::pin(async move {
            let reply = self.field(name).await;
            self.noted(reply)
        })
    }

    fn history_recent(&mut self, limit: u32) -> Reply<'_, Vec<Line>> {
        Box::pin(async move {
            let reply = self.recent(limit).await;
            self.noted(reply)
        })
    }

    fn language_model_complete(&mut self, _prompt: Prompt) -> Reply<'_, Completion> {
        Box::pin(std::future::ready(Err(unavailable("this version of the host asks no language models"))))
    }

    fn http_send(&mut self, _request: HttpRequest) -> Reply<'_, HttpResponse> {
        Box::pin(std::future::ready(Err(unavailable("this version of the host reads no endpoints"))))
    }

    fn media_read(&mut self, _handle: String, _offset: u64, _length: u32) -> Reply<'_, Vec<u8>> {
        Box::pin(std::future::ready(Err(unavailable("this version of the host reads no attachments"))))
    }
}

fn unavailable(message: &str) -> Fault {
    Fault::new("unavailable", message)
}

/// A failure of ours: logged with its causes, told without them.
fn internal(what: &'static str, error: &dyn std::error::Error) -> Fault {
    let mut causes = String::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push_str(": ");
        causes.push_str(&cause.to_string());
        next = cause.source();
    }
    tracing::error!(host_call = what, error = %format!("{error}{causes}"), "A plugin's call of the host failed");
    Fault::new(Fault::INTERNAL, "the host could not do this; try again later")
}

#[cfg(test)]
mod tests;
