//! What the host offers a plugin during a call, in the words of the domain. The broker implements it; nothing here decides
//! what a plugin may see.

use std::any::Any;

use bellhop_domain::capability::Capability;
use bellhop_domain::host_call::{Completion, Entry, Hit, HttpRequest, HttpResponse, Line, Prompt, Query};
use bellhop_domain::plugin::Fault;
use futures_util::future::BoxFuture;

/// What the host says to a call, later.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, Fault>>;

/// The imports of a plugin, one method per function of `wit/plugin.wit`.
///
/// A method answers `denied` unless it is implemented. It is only ever called for an interface that was granted; scopes
/// (which collection, which field) are for the implementation to check, before any effect. A call that is cut short by a
/// limit drops the reply where it stands: whatever the host has done up to that await stays done.
pub trait HostCalls: Any + Send {
    /// One record by id.
    fn records_get(&mut self, collection: String, id: String) -> Reply<'_, Option<Entry>> {
        let _ = (collection, id);
        denied(Capability::Records)
    }

    /// The records of a range.
    fn records_find(&mut self, query: Query) -> Reply<'_, Vec<Entry>> {
        let _ = query;
        denied(Capability::Records)
    }

    /// The records that match a text, best first.
    fn records_search(
        &mut self,
        collection: String,
        text: String,
        language: Option<String>,
        limit: u32,
    ) -> Reply<'_, Vec<Hit>> {
        let _ = (collection, text, language, limit);
        denied(Capability::Records)
    }

    /// Buffers the write of a record and answers its id.
    fn records_put(&mut self, collection: String, id: Option<String>, key: i64, json: String) -> Reply<'_, String> {
        let _ = (collection, id, key, json);
        denied(Capability::Records)
    }

    /// Buffers the removal of a record.
    fn records_remove(&mut self, collection: String, id: String) -> Reply<'_, ()> {
        let _ = (collection, id);
        denied(Capability::Records)
    }

    /// One field of the contact.
    fn contact_field(&mut self, name: String) -> Reply<'_, Option<String>> {
        let _ = name;
        denied(Capability::Contact)
    }

    /// The last lines of the conversation, oldest first.
    fn history_recent(&mut self, limit: u32) -> Reply<'_, Vec<Line>> {
        let _ = limit;
        denied(Capability::History)
    }

    /// Asks a language model and waits for the whole answer.
    fn language_model_complete(&mut self, prompt: Prompt) -> Reply<'_, Completion> {
        let _ = prompt;
        denied(Capability::LanguageModel)
    }

    /// Reads from a configured endpoint.
    fn http_send(&mut self, request: HttpRequest) -> Reply<'_, HttpResponse> {
        let _ = request;
        denied(Capability::Http)
    }

    /// Bytes of an attachment.
    fn media_read(&mut self, handle: String, offset: u64, length: u32) -> Reply<'_, Vec<u8>> {
        let _ = (handle, offset, length);
        denied(Capability::Media)
    }
}

/// A host that denies everything: for plugins that only decide, and for benchmarks.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHost;

impl HostCalls for NoHost {}

fn denied<T: Send + 'static>(capability: Capability) -> Reply<'static, T> {
    Box::pin(std::future::ready(Err(Fault::denied(capability.as_str()))))
}
