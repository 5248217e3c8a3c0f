//! The view of an event: what one plugin is told of what happened.

use bellhop_domain::channel::ChannelKind;
use bellhop_domain::id::{ChannelId, ContactId, MessageId, PluginKey, TurnId};
use bellhop_domain::mask::Value;
use bellhop_domain::plugin::{Attachment, Context, Message, PluginEvent};
use bellhop_domain::time::Timestamp;

use super::mask::Masker;
use super::payload::payload_open;
use crate::audit::Code;
use crate::registry::{EnabledPlugin, TextScope};
use crate::vault::IndexKey;

/// The trigger that lets a plugin be called for messages and taps.
const MESSAGES: &str = "messages";

/// How many bytes of the HMAC name a contact: enough that two never meet.
const REF_BYTES: usize = 15;

/// Something a contact wrote, sent or tapped, as the host knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Our id of the message.
    pub id: MessageId,
    /// When, by Meta's clock.
    pub at: Timestamp,
    /// What was written, or stood on the button.
    pub text: Option<String>,
    /// What the button carries, as it left us.
    pub payload: Option<String>,
    /// What was attached.
    pub attachments: Vec<HeardAttachment>,
    /// Our id of the message that it answers.
    pub reply_to: Option<MessageId>,
    /// Older than a message that was already answered.
    pub late: bool,
}

/// Something that was attached. Its address never crosses to a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeardAttachment {
    /// Meta's word for it.
    pub kind: String,
}

/// What is true of the turn for every plugin.
#[derive(Debug, Clone)]
pub struct Circumstances<'a> {
    /// The turn.
    pub turn: &'a TurnId,
    /// The time of the attempt.
    pub now: Timestamp,
    /// Chance for this attempt.
    pub seed: u64,
    /// The kind of channel.
    pub channel_kind: ChannelKind,
    /// Whom it is about.
    pub contact: &'a ContactId,
    /// BCP 47.
    pub locale: &'a str,
    /// IANA name.
    pub time_zone: &'a str,
    /// When the reply window closes.
    pub reply_window_closes: Option<Timestamp>,
    /// What this plugin left behind.
    pub session_json: Option<String>,
    /// This plugin kept the floor.
    pub holds_floor: bool,
    /// A shadow run.
    pub dry_run: bool,
    /// Masks what the contact wrote.
    pub masker: &'a Masker,
}

/// What a plugin is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// What happened.
    pub event: PluginEvent,
    /// What it may know besides.
    pub context: Context,
    /// What was there and whether it was shown, in words for the trace: "text: shown".
    pub saw: Vec<String>,
    /// The kinds of personal data in it, for the audit log.
    pub reads: Vec<Code>,
    /// What the tokens in it stand for.
    pub masked: Vec<Value>,
}

/// What a plugin may see of messages and taps; `None` when its grant lets it not be called for them, or there are none.
pub fn view(plugin: &EnabledPlugin, heard: &[Heard], about: &Circumstances<'_>, index: &IndexKey) -> Option<View> {
    if heard.is_empty() || !plugin.scopes.triggers.contains(MESSAGES) {
        return None;
    }
    let mut masked = Vec::new();
    let messages: Vec<Message> = heard.iter().map(|one| message(plugin, one, about.masker, &mut masked)).collect();
    let saw = saw(plugin.scopes.text, heard, &messages);
    let mut reads = Vec::new();
    if messages.iter().any(|message| message.text.is_some()) {
        let is_clear = plugin.scopes.text == TextScope::Clear;
        reads.push(Code::of(if is_clear { "message-text" } else { "message-masked" }));
    }
    if messages.iter().any(|message| !message.attachments.is_empty()) {
        reads.push(Code::of("message-attachments"));
    }
    Some(View { event: PluginEvent::Messages(messages), context: context(plugin, about, index), saw, reads, masked })
}

/// What was there, and whether it was shown: for the trace.
fn saw(text: TextScope, heard: &[Heard], shown: &[Message]) -> Vec<String> {
    let parts = [
        ("text", heard.iter().any(|one| one.text.is_some()), shown.iter().any(|one| one.text.is_some())),
        ("button", heard.iter().any(|one| one.payload.is_some()), shown.iter().any(|one| one.payload.is_some())),
        (
            "attachments",
            heard.iter().any(|one| !one.attachments.is_empty()),
            shown.iter().any(|one| !one.attachments.is_empty()),
        ),
    ];
    let present = parts.into_iter().filter(|(_, was_there, _)| *was_there);
    let how = |what: &str, is_shown: bool| match (is_shown, text) {
        (true, TextScope::Masked) if what == "text" => "masked",
        (true, _) => "shown",
        (false, _) => "withheld",
    };
    present.map(|(what, _, is_shown)| format!("{what}: {}", how(what, is_shown))).collect()
}

/// The name under which one plugin knows a contact on one channel. Two plugins, or one plugin on two channels, cannot find
/// out that they mean the same person.
pub fn contact_ref(index: &IndexKey, plugin: &PluginKey, channel: &ChannelId, contact: &ContactId) -> String {
    let parts = [plugin.as_str(), channel.as_str(), contact.as_str()].map(str::as_bytes);
    let name = index.of("contact-ref", &parts);
    hex::encode(name.iter().take(REF_BYTES).copied().collect::<Vec<u8>>())
}

fn message(plugin: &EnabledPlugin, heard: &Heard, masker: &Masker, values: &mut Vec<Value>) -> Message {
    let mask = |text: &String| {
        let masked = masker.mask(text);
        values.extend(masked.values);
        masked.text
    };
    let text = match plugin.scopes.text {
        TextScope::Clear => heard.text.clone(),
        TextScope::Masked => heard.text.as_ref().map(mask),
        TextScope::None => None,
    };
    let payload = heard.payload.as_deref().and_then(|sealed| payload_open(&plugin.plugin_key, sealed));
    let attachments =
        if plugin.scopes.attachments { heard.attachments.iter().map(attachment).collect() } else { Vec::new() };
    Message {
        id: heard.id.as_str().to_owned(),
        at: heard.at,
        text,
        payload: payload.map(|payload| match plugin.scopes.text {
            TextScope::Clear => payload.to_owned(),
            TextScope::Masked | TextScope::None => masker.redact(payload),
        }),
        attachments,
        reply_to: heard.reply_to.as_ref().map(|id| id.as_str().to_owned()),
        late: heard.late,
    }
}

/// The bytes cannot be read in this version, so there is no handle.
fn attachment(heard: &HeardAttachment) -> Attachment {
    Attachment { kind: heard.kind.clone(), mime: String::new(), bytes: 0, handle: String::new() }
}

/// A session may be from a time when the plugin was shown texts in clear.
fn left_behind(plugin: &EnabledPlugin, masker: &Masker, json: &str) -> String {
    if plugin.scopes.text == TextScope::Clear { json.to_owned() } else { masker.redact_json(json) }
}

fn context(plugin: &EnabledPlugin, about: &Circumstances<'_>, index: &IndexKey) -> Context {
    let shown = match plugin.scopes.text {
        TextScope::Clear => "clear",
        TextScope::Masked => "masked",
        TextScope::None => "none",
    };
    Context {
        turn: about.turn.as_str().to_owned(),
        now: about.now,
        seed: about.seed,
        channel_kind: about.channel_kind.as_str().to_owned(),
        contact: contact_ref(index, &plugin.plugin_key, &plugin.channel, about.contact),
        locale: about.locale.to_owned(),
        time_zone: about.time_zone.to_owned(),
        reply_window_closes: about.reply_window_closes,
        settings_json: plugin.settings_json.as_ref().to_owned(),
        session_json: about.session_json.as_deref().map(|json| left_behind(plugin, about.masker, json)),
        holds_floor: about.holds_floor,
        dry_run: about.dry_run,
        facts: vec![("text".to_owned(), shown.to_owned())],
    }
}
