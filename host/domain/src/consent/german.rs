//! Consent in German.

use super::Code;

/// Goes around an author's own words.
pub(super) const AUTHOR: &str = "begründet vom Hersteller: „{names}“";

/// What a clause says.
pub(super) const fn template(code: Code) -> &'static str {
    match code {
        Code::TriggerMessages => "wird aufgerufen, wenn ein Kunde schreibt oder auf eine Schaltfläche tippt",
        Code::TriggerComment => "wird aufgerufen, wenn jemand kommentiert",
        Code::TriggerTimer => "wird aufgerufen, wenn ein Wecker fällig ist, den es gestellt hat",
        Code::TriggerResponse => "wird aufgerufen, wenn ein Endpunkt auf seinen Aufruf antwortet",
        Code::TriggerCustom => "wird bei Ereignissen anderer Art aufgerufen",
        Code::NoTriggers => "wird nie aufgerufen",
        Code::TextClear => {
            "sieht, was Kunden schreiben, so wie es geschrieben wurde, auch Telefonnummern, E-Mail-Adressen, Karten und Konten"
        }
        Code::TextMasked => {
            "sieht, was Kunden schreiben; Telefonnummern, E-Mail-Adressen, Karten und Konten nur als Platzhalter"
        }
        Code::TextNone => "sieht nicht, was Kunden schreiben",
        Code::Attachments => "erfährt, dass ein Kunde etwas angehängt hat und welcher Art es ist",
        Code::NoAttachments => "erfährt nicht, dass ein Kunde etwas angehängt hat",
        Code::BusinessRecords => "liest und ändert Tabellen Ihres Unternehmens: {names}",
        Code::ContactRecords => {
            "führt Einträge für jeden Kunden und liest nur die des Kunden vollständig, dem es antwortet: {names}"
        }
        Code::SharedFields => "liest auch diese Felder der Einträge anderer Kunden: {names}",
        Code::NoRecords => "führt und liest keine Tabellen",
        Code::ContactFields => "liest aus dem Profil des Kunden: {names}",
        Code::NoContact => "kann keine Kundenprofile lesen",
        Code::History => "liest frühere Nachrichten des Gesprächs, höchstens so viele: {names}",
        Code::NoHistory => "kann keine früheren Nachrichten lesen",
        Code::LanguageModel => "fragt Sprachmodelle: {names}",
        Code::NoLanguageModel => "kann kein Sprachmodell fragen",
        Code::Network => "liest von Ihren Endpunkten: {names}",
        Code::NoNetwork => "hat kein eigenes Netz",
        Code::Media => "öffnet Dateien, die Kunden senden",
        Code::NoMedia => "kann keine Dateien öffnen, die Kunden senden",
        Code::EffectSay => "darf dem Kunden antworten",
        Code::EffectCommentReply => "darf Kommentare öffentlich beantworten",
        Code::EffectPrivateReply => "darf einen Kommentar mit einer privaten Nachricht beantworten",
        Code::EffectHideComment => "darf Kommentare verbergen",
        Code::EffectHandoff => "darf Gespräche an Ihr Personal übergeben",
        Code::EffectSetAttribute => "darf zum Kunden festhalten: {names}",
        Code::EffectAddTag => "darf Kunden mit Schlagwörtern versehen",
        Code::EffectNote => "darf Notizen für Ihr Personal schreiben",
        Code::EffectSetTimer => "darf sich Wecker stellen",
        Code::EffectCancelTimer => "darf seine Wecker abstellen",
        Code::EffectSendTemplate => "darf Nachrichtenvorlagen senden",
        Code::EffectCall => "darf Ihre Endpunkte aufrufen und dort etwas ändern: {names}",
        Code::EffectCustom => "darf Wirkungen anderer Art vorschlagen",
        Code::NoEffects => "kann nichts senden und nichts ändern",
        Code::NoPublicReply => "kann nicht öffentlich antworten",
        Code::NoCall => "kann keinen Endpunkt aufrufen, um etwas zu ändern",
        Code::Flows => "darf Personendaten im Klartext weitergeben, wie Sie es erlauben, von wo nach wo: {names}",
        Code::Links => "darf Links senden zu: {names}",
        Code::NoLinks => "darf keine Links senden",
    }
}
