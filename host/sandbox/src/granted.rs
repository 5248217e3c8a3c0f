//! The imports as a plugin with a grant meets them: counted, passed to the host, the reply counted again.

use bellhop_domain::plugin;

use crate::bindings::bellhop::plugin::types::{self, Fault};
use crate::bindings::bellhop::plugin::{contact, effects, history, http, language_model, log, media, records};
use crate::convert::IntoGuest;
use crate::host::HostCalls;
use crate::meter::Meter;

/// What stands in the store of one call.
pub(crate) struct State {
    pub(crate) host: Box<dyn HostCalls>,
    pub(crate) meter: Meter,
}

/// A reply to the plugin; the outer error ends the call.
pub(crate) type Guest<T> = wasmtime::Result<Result<T, Fault>>;

impl State {
    fn settle<T: IntoGuest>(&mut self, reply: Result<T, plugin::Fault>) -> Guest<T::Guest> {
        let bytes = match &reply {
            Ok(reply) => reply.bytes(),
            Err(fault) => fault.code.len() + fault.message.len() + fault.grant.as_ref().map_or(0, String::len),
        };
        self.meter.take_in(bytes)?;
        Ok(reply.map(T::into_guest).map_err(Fault::from))
    }
}

impl types::Host for State {}

impl effects::Host for State {}

impl log::Host for State {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        self.meter.log(level.into(), &message);
        Ok(())
    }
}

impl records::Host for State {
    async fn get(&mut self, collection: String, id: String) -> Guest<Option<records::Entry>> {
        self.meter.enter(collection.len() + id.len())?;
        let reply = self.host.records_get(collection, id).await;
        self.settle(reply)
    }

    async fn find(&mut self, query: records::Query) -> Guest<Vec<records::Entry>> {
        self.meter.enter(query.collection.len())?;
        let reply = self.host.records_find(query.into()).await;
        self.settle(reply)
    }

    async fn search(
        &mut self,
        collection: String,
        text: String,
        language: Option<String>,
        limit: u32,
    ) -> Guest<Vec<records::Hit>> {
        self.meter.enter(collection.len() + text.len() + language.bytes())?;
        let reply = self.host.records_search(collection, text, language, limit).await;
        self.settle(reply)
    }

    async fn put(&mut self, collection: String, id: Option<String>, key: i64, json: String) -> Guest<String> {
        self.meter.enter(collection.len() + id.bytes() + json.len())?;
        let reply = self.host.records_put(collection, id, key, json).await;
        self.settle(reply)
    }

    async fn remove(&mut self, collection: String, id: String) -> Guest<()> {
        self.meter.enter(collection.len() + id.len())?;
        let reply = self.host.records_remove(collection, id).await;
        self.settle(reply)
    }
}

impl contact::Host for State {
    async fn field(&mut self, name: String) -> Guest<Option<String>> {
        self.meter.enter(name.len())?;
        let reply = self.host.contact_field(name).await;
        self.settle(reply)
    }
}

impl history::Host for State {
    async fn recent(&mut self, limit: u32) -> Guest<Vec<history::Line>> {
        self.meter.enter(0)?;
        let reply = self.host.history_recent(limit).await;
        self.settle(reply)
    }
}

impl language_model::Host for State {
    async fn complete(&mut self, prompt: language_model::Prompt) -> Guest<language_model::Completion> {
        let messages: usize = prompt.messages.iter().map(|message| message.role.len() + message.content.len()).sum();
        self.meter.enter(prompt.profile.len() + messages + prompt.json_schema.bytes())?;
        let reply = self.host.language_model_complete(prompt.into()).await;
        self.settle(reply)
    }
}

impl http::Host for State {
    async fn send(&mut self, request: http::Request) -> Guest<http::Response> {
        let query: usize = request.query.iter().map(|(name, value)| name.len() + value.len()).sum();
        let head = request.endpoint.len() + request.method.len() + request.path.len() + request.content_type.bytes();
        self.meter.enter(head + query + request.body.len())?;
        let reply = self.host.http_send(request.into()).await;
        self.settle(reply)
    }
}

impl media::Host for State {
    async fn read(&mut self, handle: String, offset: u64, length: u32) -> Guest<Vec<u8>> {
        self.meter.enter(handle.len())?;
        let reply = self.host.media_read(handle, offset, length).await;
        self.settle(reply)
    }
}
