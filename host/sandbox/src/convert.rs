//! Between the domain's words and the generated ones. Towards the plugin everything is borrowed: an event and a context are
//! copied once, into the plugin's own memory.

use bellhop_domain::host_call;
use bellhop_domain::plugin::{self, PluginEvent};
use bellhop_domain::time::Timestamp;

use crate::bindings::bellhop::plugin::{history, http, language_model, log, records, types};

/// Attachments of each message of an event, in order.
pub(crate) fn attachments(event: &PluginEvent) -> Vec<Vec<types::Attachment<'_>>> {
    let PluginEvent::Messages(messages) = event else { return Vec::new() };
    messages.iter().map(|message| message.attachments.iter().map(attachment).collect()).collect()
}

fn attachment(file: &plugin::Attachment) -> types::Attachment<'_> {
    types::Attachment { kind: &file.kind, mime: &file.mime, bytes: file.bytes, handle: &file.handle }
}

/// Messages of an event, in order.
pub(crate) fn messages<'a>(event: &'a PluginEvent, files: &'a [Vec<types::Attachment<'a>>]) -> Vec<types::Message<'a>> {
    let PluginEvent::Messages(messages) = event else { return Vec::new() };
    let one = |(message, files): (&'a plugin::Message, &'a Vec<types::Attachment<'a>>)| types::Message {
        id: &message.id,
        at: millis(message.at),
        text: message.text.as_deref(),
        payload: message.payload.as_deref(),
        attachments: files,
        reply_to: message.reply_to.as_deref(),
        late: message.late,
    };
    messages.iter().zip(files).map(one).collect()
}

/// The event itself; `messages` were made from the same event.
pub(crate) fn event<'a>(event: &'a PluginEvent, messages: &'a [types::Message<'a>]) -> types::Event<'a> {
    match event {
        PluginEvent::Messages(_) => types::Event::Messages(messages),
        PluginEvent::Comment(comment) => types::Event::Comment(types::Comment {
            text: comment.text.as_deref(),
            post: &comment.post,
            parent: comment.parent.as_deref(),
        }),
        PluginEvent::Timer(timer) => types::Event::Timer(types::Timer { key: &timer.key, payload: &timer.payload }),
        PluginEvent::Response(response) => types::Event::Response(types::Response {
            key: &response.key,
            status: response.status,
            content_type: &response.content_type,
            body: &response.body,
        }),
        PluginEvent::Custom(custom) => {
            types::Event::Custom(types::CustomEvent { kind: &custom.kind, version: custom.version, json: &custom.json })
        }
    }
}

/// The facts of a context as pairs of borrowed texts.
pub(crate) fn facts(context: &plugin::Context) -> Vec<(&str, &str)> {
    context.facts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The context; `facts` were made from it.
pub(crate) fn context<'a>(context: &'a plugin::Context, facts: &'a [(&'a str, &'a str)]) -> types::Context<'a> {
    types::Context {
        turn: &context.turn,
        now: millis(context.now),
        seed: context.seed,
        channel_kind: &context.channel_kind,
        contact: &context.contact,
        locale: &context.locale,
        time_zone: &context.time_zone,
        reply_window_closes: context.reply_window_closes.map(millis),
        settings_json: &context.settings_json,
        session_json: context.session_json.as_deref(),
        holds_floor: context.holds_floor,
        dry_run: context.dry_run,
        facts,
    }
}

/// Times before 1970 do not exist in the contract.
pub(crate) fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.millis()).unwrap_or(0)
}

impl From<log::Level> for host_call::LogLevel {
    fn from(level: log::Level) -> Self {
        match level {
            log::Level::Debug => Self::Debug,
            log::Level::Info => Self::Info,
            log::Level::Warn => Self::Warn,
            log::Level::Error => Self::Error,
        }
    }
}

impl From<records::Query> for host_call::Query {
    fn from(query: records::Query) -> Self {
        let records::Query { collection, key_from, key_to, descending, limit } = query;
        Self { collection, key_from, key_to, descending, limit }
    }
}

impl From<language_model::Prompt> for host_call::Prompt {
    fn from(prompt: language_model::Prompt) -> Self {
        let language_model::Prompt { profile, messages, max_tokens, json_schema } = prompt;
        let one = |language_model::Message { role, content }| host_call::PromptMessage { role, content };
        Self { profile, messages: messages.into_iter().map(one).collect(), max_tokens, json_schema }
    }
}

impl From<http::Request> for host_call::HttpRequest {
    fn from(request: http::Request) -> Self {
        let http::Request { endpoint, method, path, query, content_type, body } = request;
        Self { endpoint, method, path, query, content_type, body }
    }
}

impl From<plugin::Fault> for types::Fault {
    fn from(fault: plugin::Fault) -> Self {
        let plugin::Fault { code, message, grant, retry_after_ms } = fault;
        Self { code, message, grant, retry_after_ms }
    }
}

/// A reply of the host on its way to the plugin: what it weighs, and its generated form.
pub(crate) trait IntoGuest {
    type Guest;
    /// Bytes of its texts, and of its numbers where there are many.
    fn bytes(&self) -> usize;
    fn into_guest(self) -> Self::Guest;
}

impl IntoGuest for () {
    type Guest = ();
    fn bytes(&self) -> usize {
        0
    }
    fn into_guest(self) {}
}

impl IntoGuest for String {
    type Guest = Self;
    fn bytes(&self) -> usize {
        self.len()
    }
    fn into_guest(self) -> Self {
        self
    }
}

/// A byte of an attachment.
impl IntoGuest for u8 {
    type Guest = Self;
    fn bytes(&self) -> usize {
        1
    }
    fn into_guest(self) -> Self {
        self
    }
}

impl<T: IntoGuest> IntoGuest for Option<T> {
    type Guest = Option<T::Guest>;
    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, T::bytes)
    }
    fn into_guest(self) -> Self::Guest {
        self.map(T::into_guest)
    }
}

impl<T: IntoGuest> IntoGuest for Vec<T> {
    type Guest = Vec<T::Guest>;
    fn bytes(&self) -> usize {
        self.iter().map(T::bytes).sum()
    }
    fn into_guest(self) -> Self::Guest {
        self.into_iter().map(T::into_guest).collect()
    }
}

impl IntoGuest for host_call::Entry {
    type Guest = records::Entry;
    fn bytes(&self) -> usize {
        self.id.len() + self.json.len() + size_of::<u64>()
    }
    fn into_guest(self) -> records::Entry {
        let Self { id, json, revision } = self;
        records::Entry { id, json, revision }
    }
}

impl IntoGuest for host_call::Hit {
    type Guest = records::Hit;
    fn bytes(&self) -> usize {
        self.entry.bytes() + size_of::<f64>()
    }
    fn into_guest(self) -> records::Hit {
        records::Hit { entry: self.entry.into_guest(), score: self.score }
    }
}

impl IntoGuest for host_call::Line {
    type Guest = history::Line;
    fn bytes(&self) -> usize {
        self.text.len() + size_of::<u64>()
    }
    fn into_guest(self) -> history::Line {
        let author = match self.author {
            host_call::Author::Contact => history::Author::Contact,
            host_call::Author::Plugin => history::Author::Plugin,
            host_call::Author::Agent => history::Author::Agent,
        };
        history::Line { author, at: millis(self.at), text: self.text }
    }
}

impl IntoGuest for host_call::Completion {
    type Guest = language_model::Completion;
    fn bytes(&self) -> usize {
        self.content.len() + self.finish.len()
    }
    fn into_guest(self) -> language_model::Completion {
        let Self { content, tokens_in, tokens_out, finish } = self;
        language_model::Completion { content, tokens_in, tokens_out, finish }
    }
}

impl IntoGuest for host_call::HttpResponse {
    type Guest = http::Response;
    fn bytes(&self) -> usize {
        self.content_type.len() + self.body.len()
    }
    fn into_guest(self) -> http::Response {
        let Self { status, content_type, body } = self;
        http::Response { status, content_type, body }
    }
}
