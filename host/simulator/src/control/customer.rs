//! What a customer does on their phone, and what befalls them.

use serde_json::{Value, json};

use crate::control::{Control, person_in};
use crate::error::ControlError;
use crate::state::{Author, Comment, Message, PAGE_INBOX_APP, State, Status};
use crate::webhook;
use crate::webhook::Event;
use crate::webhook::item::Thread;
use crate::world::Happening;

/// The sticker id of the small thumb (Meta: webhook events, stickers).
const THUMB_STICKER: u64 = 369_239_263_222_822;

/// One person and their thread with one Page.
#[derive(Clone)]
pub struct Customer {
    pub(super) control: Control,
    /// The Page they write to.
    pub page_id: String,
    /// Their page-scoped id.
    pub person_id: String,
}

impl Customer {
    /// Writes a text. Returns the message id.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`], as everywhere here when the person is gone.
    pub fn says(&self, text: &str) -> Result<String, ControlError> {
        self.writes(Some(text), None, json!({ "text": text }))
    }

    /// Taps a quick reply: its title becomes a message, its payload travels with it.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`].
    pub fn answers(&self, title: &str, payload: &str) -> Result<String, ControlError> {
        self.writes(Some(title), None, json!({ "text": title, "quick_reply": { "payload": payload } }))
    }

    /// Sends an attachment: `image`, `video`, `audio`, `file`.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`].
    pub fn sends_attachment(&self, kind: &str, url: &str) -> Result<String, ControlError> {
        let attachment = json!({ "type": kind, "payload": { "url": url } });
        self.writes(None, Some(attachment.clone()), json!({ "attachments": [attachment] }))
    }

    /// Sends the thumb that stands beside the input field.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`].
    pub fn sends_thumb(&self) -> Result<String, ControlError> {
        let url = "https://scontent.xx.fbcdn.net/v/thumb.png";
        let attachment = json!({ "type": "sticker", "payload": { "url": url, "sticker_id": THUMB_STICKER } });
        self.writes(None, Some(attachment.clone()), json!({ "attachments": [attachment] }))
    }

    /// Taps a button of a template, a menu or Get Started. Returns the message id.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`].
    pub fn taps(&self, title: &str, payload: &str) -> Result<String, ControlError> {
        let mut state = self.control.world.lock();
        let message = self.remember(&mut state, Some(title), None)?;
        self.emit(&mut state, self.thread().postback(&message.id, message.at_ms, title, payload));
        Ok(message.id)
    }

    /// Puts an emoji on a message, or takes it away.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`], [`ControlError::NoSuchThing`].
    pub fn reacts(&self, message_id: &str, emoji: Option<&str>) -> Result<(), ControlError> {
        let mut state = self.control.world.lock();
        let now_ms = self.control.world.clock.now_ms();
        let person = person_in(&mut state, &self.page_id, &self.person_id)?;
        let message = person
            .messages
            .iter_mut()
            .find(|message| message.id == message_id)
            .ok_or_else(|| ControlError::NoSuchThing { kind: "message", id: message_id.to_owned() })?;
        message.reaction = emoji.map(str::to_owned);
        person.last_inbound_ms = Some(now_ms);
        self.control.world.announce(Happening::Reaction {
            page: self.page_id.clone(),
            person: self.person_id.clone(),
            message: message_id.to_owned(),
            emoji: emoji.map(str::to_owned),
        });
        self.emit(&mut state, self.thread().reaction(now_ms, message_id, emoji));
        Ok(())
    }

    /// Looks at the thread.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`].
    pub fn reads(&self) -> Result<(), ControlError> {
        let mut state = self.control.world.lock();
        let person = person_in(&mut state, &self.page_id, &self.person_id)?;
        for message in person.messages.iter_mut().filter(|message| message.author != Author::Person) {
            message.status = Status::Read;
        }
        let now_ms = self.control.world.clock.now_ms();
        self.emit(&mut state, self.thread().read(now_ms));
        Ok(())
    }

    /// Takes a message back.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`], [`ControlError::NoSuchThing`].
    pub fn unsends(&self, message_id: &str) -> Result<(), ControlError> {
        let mut state = self.control.world.lock();
        let person = person_in(&mut state, &self.page_id, &self.person_id)?;
        let before = person.messages.len();
        person.messages.retain(|message| message.id != message_id || message.author != Author::Person);
        if person.messages.len() == before {
            return Err(ControlError::NoSuchThing { kind: "message", id: message_id.to_owned() });
        }
        let now_ms = self.control.world.clock.now_ms();
        let mut event = self.thread().message(message_id, now_ms, json!({ "is_deleted": true }));
        event.message_id = None;
        self.emit(&mut state, event);
        Ok(())
    }

    /// Comments under a post of the Page. Returns the comment id.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`].
    pub fn comments(&self, text: &str) -> Result<String, ControlError> {
        let mut state = self.control.world.lock();
        let now_ms = self.control.world.clock.now_ms();
        let comment_id = format!("{}_{}", state.ids.number(), state.ids.number());
        let name = person_in(&mut state, &self.page_id, &self.person_id)?.name.clone();
        let comment = Comment {
            page_id: self.page_id.clone(),
            person_id: self.person_id.clone(),
            created_at_ms: now_ms,
            answered: false,
        };
        state.comments.insert(comment_id.clone(), comment);
        self.emit(&mut state, self.thread().comment(&comment_id, now_ms, &name, text));
        Ok(comment_id)
    }

    /// A colleague answers from Meta's own inbox: the app sees an echo of the Page Inbox. Returns the message id.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`].
    pub fn staff_says(&self, text: &str) -> Result<String, ControlError> {
        self.echoed(Author::Staff, PAGE_INBOX_APP, text)
    }

    /// Another app answers for the Page: the app sees an echo with that app's id. Returns the message id.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`].
    pub fn app_says(&self, app_id: &str, text: &str) -> Result<String, ControlError> {
        self.echoed(Author::Page, app_id, text)
    }

    /// Gives the thread to an app; with `None` it is idle and everyone may answer.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`].
    pub fn give_thread_to(&self, app_id: Option<&str>) -> Result<(), ControlError> {
        let owner = app_id.map(str::to_owned);
        self.control.with_person(&self.page_id, &self.person_id, |person| person.owner_app = owner)
    }

    /// Blocks the Page, or ends the block.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`].
    pub fn blocks(&self, blocked: bool) -> Result<(), ControlError> {
        self.control.with_person(&self.page_id, &self.person_id, |person| person.blocked = blocked)
    }

    /// Hides the profile, so that reading it fails with 230.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`].
    pub fn hides_profile(&self, hidden: bool) -> Result<(), ControlError> {
        self.control.with_person(&self.page_id, &self.person_id, |person| person.profile_hidden = hidden)
    }

    /// Closes the 24-hour window as if the last message were long ago.
    ///
    /// # Errors
    /// [`ControlError::NoSuchPerson`].
    pub fn close_window(&self) -> Result<(), ControlError> {
        self.control.with_person(&self.page_id, &self.person_id, |person| person.last_inbound_ms = None)
    }

    /// A message of the Page that our app did not send.
    fn echoed(&self, author: Author, app_id: &str, text: &str) -> Result<String, ControlError> {
        let mut state = self.control.world.lock();
        let mut message = self.fresh(&mut state, Some(text), None);
        message.author = author;
        person_in(&mut state, &self.page_id, &self.person_id)?.remember(message.clone());
        self.announce(&message);
        self.emit(&mut state, self.thread().echo(&message, Some(app_id), None));
        Ok(message.id)
    }

    fn thread(&self) -> Thread<'_> {
        Thread { page_id: &self.page_id, person_id: &self.person_id }
    }

    fn emit(&self, state: &mut State, event: Event) {
        webhook::emit(&self.control.world, state, event);
    }

    fn announce(&self, message: &Message) {
        let (page, person) = (self.page_id.clone(), self.person_id.clone());
        self.control.world.announce(Happening::Message { page, person, message: message.clone() });
    }

    fn writes(&self, text: Option<&str>, attachment: Option<Value>, body: Value) -> Result<String, ControlError> {
        let mut state = self.control.world.lock();
        let message = self.remember(&mut state, text, attachment)?;
        self.emit(&mut state, self.thread().message(&message.id, message.at_ms, body));
        Ok(message.id)
    }

    /// Puts a message of the person into the thread, which opens the window.
    fn remember(
        &self,
        state: &mut State,
        text: Option<&str>,
        attachment: Option<Value>,
    ) -> Result<Message, ControlError> {
        let message = self.fresh(state, text, attachment);
        let person = person_in(state, &self.page_id, &self.person_id)?;
        person.last_inbound_ms = Some(message.at_ms);
        person.remember(message.clone());
        self.announce(&message);
        Ok(message)
    }

    fn fresh(&self, state: &mut State, text: Option<&str>, attachment: Option<Value>) -> Message {
        Message {
            id: state.ids.message_id(),
            author: Author::Person,
            text: text.map(str::to_owned),
            quick_replies: Vec::new(),
            attachment,
            at_ms: self.control.world.clock.now_ms(),
            status: Status::Sent,
            reaction: None,
        }
    }
}
