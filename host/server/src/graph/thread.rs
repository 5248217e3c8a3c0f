//! The end of a thread, as Meta answers it (Meta: Messenger Platform, Conversations API).

use bellhop_domain::time::Timestamp;
use jiff::fmt::strtime;
use serde::Deserialize;
use serde_json::Value;

/// Messages whose details Meta shows (Meta: Conversations API, the 20 newest).
pub(super) const NEWEST: usize = 20;

/// What is asked of each message.
pub(super) const FIELDS: &str = "messages.limit(20){id,created_time,from,to,message}";

/// The end of a thread, newest first.
#[derive(Clone, PartialEq, Eq)]
pub struct Thread {
    /// Its newest messages.
    pub messages: Vec<ThreadMessage>,
    /// There are no older ones.
    pub is_whole: bool,
    /// What time it was for Meta when it answered, to the second.
    pub at: Option<Timestamp>,
}

/// A message as the thread shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct ThreadMessage {
    /// Meta's id: not for logs.
    pub id: String,
    /// When Meta took it, to the second.
    pub at: Timestamp,
    /// Whose id stands as the author's; `None` where Meta does not say.
    pub from: Option<String>,
    /// What it says, empty for one that has no text; `None` where Meta does not say.
    pub text: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    data: Vec<Conversation>,
}

#[derive(Deserialize)]
struct Conversation {
    messages: Option<Messages>,
}

#[derive(Deserialize)]
struct Messages {
    data: Vec<Message>,
    #[serde(default)]
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    #[serde(default)]
    next: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    id: String,
    created_time: String,
    #[serde(default)]
    from: Option<Person>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize)]
struct Person {
    id: String,
}

impl Answer {
    /// The one thread that was asked for. A thread that is not there has no messages and is not whole; `None` when anything cannot be
    /// read.
    pub(super) fn thread(self, at: Option<Timestamp>) -> Option<Thread> {
        let mut conversations = self.data.into_iter();
        let (Some(Conversation { messages: Some(messages) }), None) = (conversations.next(), conversations.next())
        else {
            return Some(Thread { messages: Vec::new(), is_whole: false, at });
        };
        let has_older = messages.paging.is_some_and(|paging| paging.next.is_some());
        let is_whole = !has_older && messages.data.len() < NEWEST;
        let messages = messages.data.into_iter().map(Message::read).collect::<Option<_>>()?;
        Some(Thread { messages, is_whole, at })
    }
}

impl Message {
    fn read(self) -> Option<ThreadMessage> {
        let Self { id, created_time, from, message } = self;
        let at = strtime::parse("%Y-%m-%dT%H:%M:%S%z", created_time).ok()?.to_timestamp().ok()?;
        let at = Timestamp::from_millis(at.as_millisecond());
        Some(ThreadMessage { id, at, from: from.map(|from| from.id), text: message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Thread> {
        serde_json::from_str::<Answer>(json).ok()?.thread(None)
    }

    fn message(n: usize) -> String {
        format!(r#"{{"id":"m_{n}","created_time":"2026-11-20T12:00:07+0000","from":{{"id":"1"}},"message":"hi"}}"#)
    }

    fn thread(n_messages: usize, paging: &str) -> Thread {
        let messages: Vec<String> = (0..n_messages).map(message).collect();
        read(&format!(r#"{{"data":[{{"id":"t_1","messages":{{"data":[{}]{paging}}}}}]}}"#, messages.join(","))).unwrap()
    }

    #[test]
    fn a_thread_is_read_with_its_times() {
        let thread = thread(1, r#","paging":{"cursors":{"before":"a","after":"b"}}"#);
        assert!(thread.is_whole);
        assert_eq!(thread.messages[0].at, Timestamp::from_millis(1_795_176_007_000));
        assert_eq!((thread.messages[0].from.as_deref(), thread.messages[0].text.as_deref()), (Some("1"), Some("hi")));
    }

    #[test]
    fn only_a_thread_that_ends_before_the_page_does_is_whole() {
        assert!(thread(19, "").is_whole && !thread(20, "").is_whole);
        assert!(!thread(3, r#","paging":{"next":"https://graph.facebook.com/t_1/messages?after=b"}"#).is_whole);
    }

    #[test]
    fn a_thread_that_is_not_there_is_not_whole() {
        for json in [r#"{"data":[]}"#, r#"{"data":[{"id":"t_1"}]}"#, r#"{"data":[{"id":"t_1"},{"id":"t_2"}]}"#] {
            assert!(read(json).is_some_and(|thread| thread.messages.is_empty() && !thread.is_whole), "{json}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_thread() {
        for wrong in [
            r#"{"id":"m_1"}"#,
            r#"{"id":"m_1","created_time":"yesterday"}"#,
            r#"{"created_time":"2026-11-20T12:00:07+0000"}"#,
        ] {
            assert!(read(&format!(r#"{{"data":[{{"messages":{{"data":[{wrong}]}}}}]}}"#)).is_none(), "{wrong}");
        }
        let older = r#"{"id":"m_1","created_time":"2026-11-20T12:00:07+0000"}"#;
        let thread = read(&format!(r#"{{"data":[{{"messages":{{"data":[{older}]}}}}]}}"#)).unwrap();
        assert!(thread.messages[0].text.is_none() && thread.messages[0].from.is_none());
    }
}
