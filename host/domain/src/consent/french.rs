//! Consent in French.

use super::Code;

/// Goes around an author's own words.
pub(super) const AUTHOR: &str = "son auteur dit : « {names} »";

/// What a clause says.
pub(super) const fn template(code: Code) -> &'static str {
    match code {
        Code::TriggerMessages => "est appelé quand un client écrit ou touche un bouton",
        Code::TriggerComment => "est appelé quand quelqu'un commente",
        Code::TriggerTimer => "est appelé à l'échéance d'un minuteur qu'il a réglé",
        Code::TriggerResponse => "est appelé quand un point d'accès répond à son appel",
        Code::TriggerCustom => "est appelé pour des événements d'autres sortes",
        Code::NoTriggers => "n'est jamais appelé",
        Code::TextClear => {
            "voit ce que les clients écrivent tel quel, y compris téléphones, adresses e-mail, cartes et comptes"
        }
        Code::TextMasked => {
            "voit ce que les clients écrivent ; téléphones, adresses e-mail, cartes et comptes seulement comme jetons"
        }
        Code::TextNone => "ne voit pas ce que les clients écrivent",
        Code::Attachments => "apprend qu'un client a joint quelque chose, et de quelle sorte",
        Code::NoAttachments => "n'apprend pas qu'un client a joint quelque chose",
        Code::BusinessRecords => "lit et modifie des tables de votre entreprise : {names}",
        Code::ContactRecords => {
            "tient des fiches pour chaque client et ne lit en entier que celles du client à qui il répond : {names}"
        }
        Code::SharedFields => "lit aussi ces champs des fiches d'autres clients : {names}",
        Code::NoRecords => "ne tient et ne lit aucune table",
        Code::ContactFields => "lit dans le profil du client : {names}",
        Code::NoContact => "ne peut pas lire les profils des clients",
        Code::History => "lit des messages précédents de la conversation, au plus : {names}",
        Code::NoHistory => "ne peut pas lire les messages précédents",
        Code::LanguageModel => "interroge des modèles de langage : {names}",
        Code::NoLanguageModel => "ne peut interroger aucun modèle de langage",
        Code::Network => "lit depuis vos points d'accès : {names}",
        Code::NoNetwork => "n'a pas de réseau à lui",
        Code::Media => "ouvre les fichiers que les clients envoient",
        Code::NoMedia => "ne peut pas ouvrir les fichiers que les clients envoient",
        Code::EffectSay => "peut répondre au client",
        Code::EffectCommentReply => "peut répondre aux commentaires en public",
        Code::EffectPrivateReply => "peut répondre à un commentaire par un message privé",
        Code::EffectHideComment => "peut masquer des commentaires",
        Code::EffectHandoff => "peut confier des conversations à votre personnel",
        Code::EffectSetAttribute => "peut conserver avec le client : {names}",
        Code::EffectAddTag => "peut poser des étiquettes sur les clients",
        Code::EffectNote => "peut écrire des notes pour votre personnel",
        Code::EffectSetTimer => "peut se régler des minuteurs",
        Code::EffectCancelTimer => "peut annuler ses minuteurs",
        Code::EffectSendTemplate => "peut envoyer des modèles de message",
        Code::EffectCall => "peut appeler vos points d'accès et y modifier des choses : {names}",
        Code::EffectCustom => "peut proposer des effets d'autres sortes",
        Code::NoEffects => "ne peut rien envoyer ni modifier",
        Code::NoPublicReply => "ne peut pas répondre en public",
        Code::NoCall => "ne peut appeler aucun point d'accès pour modifier quelque chose",
        Code::Flows => {
            "peut transmettre des données personnelles en clair, comme vous le permettez, d'où vers où : {names}"
        }
        Code::Links => "peut envoyer des liens vers : {names}",
        Code::NoLinks => "ne peut envoyer aucun lien",
    }
}
