//! The clauses there are, by stable names.

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal,)*) => {
        /// Which clause; its name never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $code,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// Its name for programs. Names of what a plugin cannot do begin with `no-`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                }
            }
        }
    };
}

codes! {
    /// Called for messages.
    TriggerMessages = "trigger-messages",
    /// Called for comments.
    TriggerComment = "trigger-comment",
    /// Called when its timer is due.
    TriggerTimer = "trigger-timer",
    /// Called when an endpoint answers.
    TriggerResponse = "trigger-response",
    /// Called for other events.
    TriggerCustom = "trigger-custom",
    /// Never called.
    NoTriggers = "no-triggers",
    /// Sees texts as they were written.
    TextClear = "text-clear",
    /// Sees texts with tokens for personal data.
    TextMasked = "text-masked",
    /// Sees no texts.
    TextNone = "no-text",
    /// Learns of attachments.
    Attachments = "attachments",
    /// Does not learn of attachments.
    NoAttachments = "no-attachments",
    /// Uses tables of the business.
    BusinessRecords = "records-of-business",
    /// Uses tables whose records belong to customers.
    ContactRecords = "records-of-contacts",
    /// Reads some fields of other customers' records.
    SharedFields = "records-shared-fields",
    /// Uses no tables.
    NoRecords = "no-records",
    /// Reads fields of the customer.
    ContactFields = "contact-fields",
    /// Reads nothing of the customer's profile.
    NoContact = "no-contact",
    /// Reads earlier lines.
    History = "history",
    /// Reads no earlier lines.
    NoHistory = "no-history",
    /// Asks language models.
    LanguageModel = "language-model",
    /// Asks no language model.
    NoLanguageModel = "no-language-model",
    /// Reads from endpoints.
    Network = "network",
    /// Has no network of its own.
    NoNetwork = "no-network",
    /// Opens attachments.
    Media = "media",
    /// Opens no attachments.
    NoMedia = "no-media",
    /// Answers.
    EffectSay = "effect-say",
    /// Answers in public.
    EffectCommentReply = "effect-comment-reply",
    /// Answers a comment in private.
    EffectPrivateReply = "effect-private-reply",
    /// Hides comments.
    EffectHideComment = "effect-hide-comment",
    /// Hands over to staff.
    EffectHandoff = "effect-handoff",
    /// Keeps values with the customer.
    EffectSetAttribute = "effect-set-attribute",
    /// Tags customers.
    EffectAddTag = "effect-add-tag",
    /// Writes notes for staff.
    EffectNote = "effect-note",
    /// Sets timers.
    EffectSetTimer = "effect-set-timer",
    /// Cancels timers.
    EffectCancelTimer = "effect-cancel-timer",
    /// Sends templates.
    EffectSendTemplate = "effect-send-template",
    /// Calls endpoints that change something.
    EffectCall = "effect-call",
    /// Proposes effects of other kinds.
    EffectCustom = "effect-custom",
    /// Does nothing.
    NoEffects = "no-effects",
    /// Answers nothing in public.
    NoPublicReply = "no-public-reply",
    /// Calls no endpoint that changes something.
    NoCall = "no-call",
    /// Personal data may go out.
    Flows = "flows",
    /// Links to hosts.
    Links = "links",
    /// Sends no links.
    NoLinks = "no-links",
}

impl Code {
    /// The clause of each trigger, by its name in a manifest.
    pub(super) const TRIGGERS: [(&'static str, Self); 5] = [
        ("messages", Self::TriggerMessages),
        ("comment", Self::TriggerComment),
        ("timer", Self::TriggerTimer),
        ("response", Self::TriggerResponse),
        ("custom", Self::TriggerCustom),
    ];

    /// The clause of each effect, by its name in a manifest.
    pub(super) const EFFECTS: [(&'static str, Self); 13] = [
        ("say", Self::EffectSay),
        ("comment-reply", Self::EffectCommentReply),
        ("private-reply", Self::EffectPrivateReply),
        ("hide-comment", Self::EffectHideComment),
        ("handoff", Self::EffectHandoff),
        ("set-attribute", Self::EffectSetAttribute),
        ("add-tag", Self::EffectAddTag),
        ("note", Self::EffectNote),
        ("set-timer", Self::EffectSetTimer),
        ("cancel-timer", Self::EffectCancelTimer),
        ("send-template", Self::EffectSendTemplate),
        ("call", Self::EffectCall),
        ("custom", Self::EffectCustom),
    ];

    /// It says what a plugin cannot do.
    pub fn is_limit(self) -> bool {
        self.as_str().starts_with("no-")
    }
}
