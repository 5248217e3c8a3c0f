//! Consent in English.

use super::Code;

/// Goes around an author's own words.
pub(super) const AUTHOR: &str = "its author says: “{names}”";

/// What a clause says.
pub(super) const fn template(code: Code) -> &'static str {
    match code {
        Code::TriggerMessages => "is called when a customer writes or taps a button",
        Code::TriggerComment => "is called when somebody comments",
        Code::TriggerTimer => "is called when a timer is due that it has set",
        Code::TriggerResponse => "is called when an endpoint answers its call",
        Code::TriggerCustom => "is called for events of other kinds",
        Code::NoTriggers => "is never called",
        Code::TextClear => {
            "sees what customers write as it was written, phone numbers, e-mail addresses, cards and accounts included"
        }
        Code::TextMasked => {
            "sees what customers write; phone numbers, e-mail addresses, cards and accounts only as tokens"
        }
        Code::TextNone => "does not see what customers write",
        Code::Attachments => "learns that a customer attached something, and of what kind",
        Code::NoAttachments => "does not learn that a customer attached something",
        Code::BusinessRecords => "reads and changes tables of your business: {names}",
        Code::ContactRecords => {
            "keeps records for each customer, and reads in full only those of the customer it answers: {names}"
        }
        Code::SharedFields => "reads these fields of other customers' records too: {names}",
        Code::NoRecords => "keeps and reads no tables",
        Code::ContactFields => "reads of the customer's profile: {names}",
        Code::NoContact => "cannot read customers' profiles",
        Code::History => "reads earlier messages of the conversation, at most so many: {names}",
        Code::NoHistory => "cannot read earlier messages",
        Code::LanguageModel => "asks language models: {names}",
        Code::NoLanguageModel => "cannot ask a language model",
        Code::Network => "reads from endpoints of yours: {names}",
        Code::NoNetwork => "has no network of its own",
        Code::Media => "opens files that customers send",
        Code::NoMedia => "cannot open files that customers send",
        Code::EffectSay => "may answer the customer",
        Code::EffectCommentReply => "may answer comments in public",
        Code::EffectPrivateReply => "may answer a comment with a private message",
        Code::EffectHideComment => "may hide comments",
        Code::EffectHandoff => "may hand conversations to your staff",
        Code::EffectSetAttribute => "may keep with the customer: {names}",
        Code::EffectAddTag => "may put tags on customers",
        Code::EffectNote => "may write notes for your staff",
        Code::EffectSetTimer => "may set timers for itself",
        Code::EffectCancelTimer => "may cancel its timers",
        Code::EffectSendTemplate => "may send message templates",
        Code::EffectCall => "may call endpoints of yours and change things there: {names}",
        Code::EffectCustom => "may propose effects of other kinds",
        Code::NoEffects => "can send nothing and change nothing",
        Code::NoPublicReply => "cannot answer in public",
        Code::NoCall => "can call no endpoint to change something",
        Code::Flows => "may pass on personal data in clear, as you allow it, from where to where: {names}",
        Code::Links => "may send links to: {names}",
        Code::NoLinks => "may send no links",
    }
}
