//! Consent in Spanish.

use super::Code;

/// Goes around an author's own words.
pub(super) const AUTHOR: &str = "su autor dice: «{names}»";

/// What a clause says.
pub(super) const fn template(code: Code) -> &'static str {
    match code {
        Code::TriggerMessages => "se le llama cuando un cliente escribe o toca un botón",
        Code::TriggerComment => "se le llama cuando alguien comenta",
        Code::TriggerTimer => "se le llama cuando vence un temporizador que ha fijado",
        Code::TriggerResponse => "se le llama cuando un punto de acceso responde a su llamada",
        Code::TriggerCustom => "se le llama para sucesos de otros tipos",
        Code::NoTriggers => "no se le llama nunca",
        Code::TextClear => {
            "ve lo que escriben los clientes tal como se escribió, incluidos teléfonos, correos electrónicos, tarjetas y cuentas"
        }
        Code::TextMasked => {
            "ve lo que escriben los clientes; teléfonos, correos electrónicos, tarjetas y cuentas solo como marcadores"
        }
        Code::TextNone => "no ve lo que escriben los clientes",
        Code::Attachments => "se entera de que un cliente adjuntó algo y de qué tipo es",
        Code::NoAttachments => "no se entera de que un cliente adjuntó algo",
        Code::BusinessRecords => "lee y cambia tablas de su empresa: {names}",
        Code::ContactRecords => {
            "guarda registros de cada cliente y solo lee completos los del cliente al que responde: {names}"
        }
        Code::SharedFields => "lee también estos campos de los registros de otros clientes: {names}",
        Code::NoRecords => "no guarda ni lee tablas",
        Code::ContactFields => "lee del perfil del cliente: {names}",
        Code::NoContact => "no puede leer perfiles de clientes",
        Code::History => "lee mensajes anteriores de la conversación, como máximo: {names}",
        Code::NoHistory => "no puede leer mensajes anteriores",
        Code::LanguageModel => "consulta modelos de lenguaje: {names}",
        Code::NoLanguageModel => "no puede consultar ningún modelo de lenguaje",
        Code::Network => "lee de puntos de acceso suyos: {names}",
        Code::NoNetwork => "no tiene red propia",
        Code::Media => "abre archivos que envían los clientes",
        Code::NoMedia => "no puede abrir archivos que envían los clientes",
        Code::EffectSay => "puede responder al cliente",
        Code::EffectCommentReply => "puede responder comentarios en público",
        Code::EffectPrivateReply => "puede responder a un comentario con un mensaje privado",
        Code::EffectHideComment => "puede ocultar comentarios",
        Code::EffectHandoff => "puede pasar conversaciones a su personal",
        Code::EffectSetAttribute => "puede guardar junto al cliente: {names}",
        Code::EffectAddTag => "puede poner etiquetas a los clientes",
        Code::EffectNote => "puede escribir notas para su personal",
        Code::EffectSetTimer => "puede fijarse temporizadores",
        Code::EffectCancelTimer => "puede cancelar sus temporizadores",
        Code::EffectSendTemplate => "puede enviar plantillas de mensajes",
        Code::EffectCall => "puede llamar a puntos de acceso suyos y cambiar cosas allí: {names}",
        Code::EffectCustom => "puede proponer efectos de otros tipos",
        Code::NoEffects => "no puede enviar ni cambiar nada",
        Code::NoPublicReply => "no puede responder en público",
        Code::NoCall => "no puede llamar a ningún punto de acceso para cambiar algo",
        Code::Flows => "puede pasar datos personales en claro, como usted permite, de dónde a dónde: {names}",
        Code::Links => "puede enviar enlaces a: {names}",
        Code::NoLinks => "no puede enviar enlaces",
    }
}
