//! The kinds of events that Meta sends: one row each says how the event is named in tables, which lane it takes and what
//! tells two of them apart.

/// What happened, as far as its outer shape tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// A customer wrote, or tapped a quick reply.
    Message,
    /// A customer tapped a button or menu entry.
    Postback,
    /// A message that the business sent, by this app, another app or a person.
    Echo,
    /// A sender took a message back.
    Unsend,
    /// A message was changed.
    Edit,
    /// A reaction to a message was set or taken back.
    Reaction,
    /// Messages reached the customer's device.
    Delivery,
    /// The customer saw messages.
    Read,
    /// A WhatsApp message changed its state.
    Status,
    /// A customer came in through a link or an ad.
    Referral,
    /// A customer opted in or out of something at Meta.
    Optin,
    /// A customer changed a preference at Meta.
    Preference,
    /// A customer linked or unlinked an account.
    AccountLinking,
    /// Another app gave the thread to this one.
    PassThread,
    /// Another app took the thread.
    TakeThread,
    /// Another app asks for the thread.
    RequestThread,
    /// The app's role in a Page's routing changed.
    AppRoles,
    /// Meta warned, blocked or unblocked a Page.
    Policy,
    /// A customer filled in a survey.
    Feedback,
    /// A customer judged an answer.
    ResponseFeedback,
    /// WhatsApp says something about a customer, such as a new number.
    System,
    /// A comment was written.
    Comment,
    /// A comment was changed.
    CommentEdit,
    /// A comment was removed, hidden or shown again.
    CommentState,
    /// A comment by the business itself.
    OwnComment,
    /// Any other news of a Page's feed.
    Feed,
    /// The business was mentioned.
    Mention,
    /// News of an account, a template or a number.
    Account,
    /// Meta's error about an account, without a message it belongs to.
    AccountError,
    /// Anything this version does not know.
    Unknown,
}

/// Where an event goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Waits for a turn of its conversation.
    Contact,
    /// Applied at once.
    Control,
    /// Kept and not acted on.
    Stored,
}

/// What tells two events of a kind apart. Never the hash of the whole body: Meta batches anew when it sends again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DedupeBy {
    /// Meta's id of the message or comment.
    Id,
    /// The id, and which edit it is.
    IdAndEdit,
    /// The message, who reacted, how, and when.
    Reaction,
    /// The id and the new state.
    IdAndState,
    /// Item, verb, id and time of a feed change.
    Feed,
    /// Everything: people, time and the bytes of the slice.
    Whole,
}

/// One row of the table.
struct Row {
    kind: EventKind,
    name: &'static str,
    lane: Lane,
    dedupe: DedupeBy,
}

const fn row(kind: EventKind, name: &'static str, lane: Lane, dedupe: DedupeBy) -> Row {
    Row { kind, name, lane, dedupe }
}

const ROWS: [Row; 30] = [
    row(EventKind::Message, "message", Lane::Contact, DedupeBy::Id),
    row(EventKind::Postback, "postback", Lane::Contact, DedupeBy::Id),
    row(EventKind::Echo, "echo", Lane::Control, DedupeBy::Id),
    row(EventKind::Unsend, "unsend", Lane::Control, DedupeBy::Id),
    row(EventKind::Edit, "edit", Lane::Control, DedupeBy::IdAndEdit),
    row(EventKind::Reaction, "reaction", Lane::Control, DedupeBy::Reaction),
    row(EventKind::Delivery, "delivery", Lane::Control, DedupeBy::Whole),
    row(EventKind::Read, "read", Lane::Control, DedupeBy::Whole),
    row(EventKind::Status, "status", Lane::Control, DedupeBy::IdAndState),
    row(EventKind::Referral, "referral", Lane::Stored, DedupeBy::Whole),
    row(EventKind::Optin, "optin", Lane::Control, DedupeBy::Whole),
    row(EventKind::Preference, "preference", Lane::Control, DedupeBy::Whole),
    row(EventKind::AccountLinking, "account-linking", Lane::Stored, DedupeBy::Whole),
    row(EventKind::PassThread, "pass-thread", Lane::Control, DedupeBy::Whole),
    row(EventKind::TakeThread, "take-thread", Lane::Control, DedupeBy::Whole),
    row(EventKind::RequestThread, "request-thread", Lane::Control, DedupeBy::Whole),
    row(EventKind::AppRoles, "app-roles", Lane::Stored, DedupeBy::Whole),
    row(EventKind::Policy, "policy", Lane::Control, DedupeBy::Whole),
    row(EventKind::Feedback, "feedback", Lane::Stored, DedupeBy::Whole),
    row(EventKind::ResponseFeedback, "response-feedback", Lane::Stored, DedupeBy::Whole),
    row(EventKind::System, "system", Lane::Control, DedupeBy::Id),
    row(EventKind::Comment, "comment", Lane::Contact, DedupeBy::Feed),
    row(EventKind::CommentEdit, "comment-edit", Lane::Control, DedupeBy::Whole),
    row(EventKind::CommentState, "comment-state", Lane::Control, DedupeBy::Whole),
    row(EventKind::OwnComment, "own-comment", Lane::Stored, DedupeBy::Feed),
    row(EventKind::Feed, "feed", Lane::Stored, DedupeBy::Whole),
    row(EventKind::Mention, "mention", Lane::Stored, DedupeBy::Whole),
    row(EventKind::Account, "account", Lane::Stored, DedupeBy::Whole),
    row(EventKind::AccountError, "account-error", Lane::Stored, DedupeBy::Whole),
    row(EventKind::Unknown, "unknown", Lane::Stored, DedupeBy::Whole),
];

impl EventKind {
    /// All kinds.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.kind)
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.kind == self)
    }

    /// The name used in tables, traces and metrics.
    pub fn as_str(self) -> &'static str {
        self.row().map_or("unknown", |row| row.name)
    }

    /// Reads a name; a name of a later version is an unknown kind.
    pub fn parse(name: &str) -> Self {
        ROWS.iter().find(|row| row.name == name).map_or(Self::Unknown, |row| row.kind)
    }

    /// The lane of this kind on a channel that is served in full; see [`crate::cut::Slice::lane`].
    pub fn lane(self) -> Lane {
        self.row().map_or(Lane::Stored, |row| row.lane)
    }

    /// What tells two events of this kind apart.
    pub fn dedupe_by(self) -> DedupeBy {
        self.row().map_or(DedupeBy::Whole, |row| row.dedupe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_round_trip() {
        let names: std::collections::BTreeSet<_> = EventKind::all().map(EventKind::as_str).collect();
        assert_eq!(names.len(), ROWS.len());
        for kind in EventKind::all() {
            assert_eq!(EventKind::parse(kind.as_str()), kind);
        }
        assert_eq!(EventKind::parse("telepathy"), EventKind::Unknown);
    }

    #[test]
    fn only_what_a_customer_says_waits_for_a_turn() {
        let waiting: Vec<_> = EventKind::all().filter(|kind| kind.lane() == Lane::Contact).collect();
        assert_eq!(waiting, [EventKind::Message, EventKind::Postback, EventKind::Comment]);
    }
}
