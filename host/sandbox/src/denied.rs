//! The imports as a plugin meets them that may do without a grant: each answers `denied` and nothing else. The host is not in
//! reach of this code.

use bellhop_domain::capability::Capability;
use bellhop_domain::plugin;
use wasmtime::component::HasData;

use crate::bindings::bellhop::plugin::types::Fault;
use crate::bindings::bellhop::plugin::{contact, history, http, language_model, media, records};
use crate::granted::Guest;
use crate::meter::Meter;

/// Links an interface to the stubs.
pub(crate) struct Denied;

impl HasData for Denied {
    type Data<'a> = Stub<'a>;
}

/// Counts the call and denies it.
pub(crate) struct Stub<'a>(pub(crate) &'a mut Meter);

impl Stub<'_> {
    fn deny<T>(&mut self, capability: Capability) -> Guest<T> {
        self.0.enter(0)?;
        let fault = plugin::Fault::denied(capability.as_str());
        self.0.take_in(fault.message.len())?;
        Ok(Err(Fault::from(fault)))
    }
}

impl records::Host for Stub<'_> {
    async fn get(&mut self, _collection: String, _id: String) -> Guest<Option<records::Entry>> {
        self.deny(Capability::Records)
    }

    async fn find(&mut self, _query: records::Query) -> Guest<Vec<records::Entry>> {
        self.deny(Capability::Records)
    }

    async fn search(
        &mut self,
        _collection: String,
        _text: String,
        _language: Option<String>,
        _limit: u32,
    ) -> Guest<Vec<records::Hit>> {
        self.deny(Capability::Records)
    }

    async fn put(&mut self, _collection: String, _id: Option<String>, _key: i64, _json: String) -> Guest<String> {
        self.deny(Capability::Records)
    }

    async fn remove(&mut self, _collection: String, _id: String) -> Guest<()> {
        self.deny(Capability::Records)
    }
}

impl contact::Host for Stub<'_> {
    async fn field(&mut self, _name: String) -> Guest<Option<String>> {
        self.deny(Capability::Contact)
    }
}

impl history::Host for Stub<'_> {
    async fn recent(&mut self, _limit: u32) -> Guest<Vec<history::Line>> {
        self.deny(Capability::History)
    }
}

impl language_model::Host for Stub<'_> {
    async fn complete(&mut self, _prompt: language_model::Prompt) -> Guest<language_model::Completion> {
        self.deny(Capability::LanguageModel)
    }
}

impl http::Host for Stub<'_> {
    async fn send(&mut self, _request: http::Request) -> Guest<http::Response> {
        self.deny(Capability::Http)
    }
}

impl media::Host for Stub<'_> {
    async fn read(&mut self, _handle: String, _offset: u64, _length: u32) -> Guest<Vec<u8>> {
        self.deny(Capability::Media)
    }
}
