//! `GET /{id}`: a Page, an app, a person's profile or one message.

use serde_json::{Value, json};

use crate::error::GraphError;
use crate::graph::auth::Caller;
use crate::graph::call::Call;
use crate::graph::conversations;
use crate::graph::fields;
use crate::state::{Holder, Person, State};

/// Reads one node.
pub(crate) fn read(state: &State, call: &Call, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    let (node, kind, by_default) = match &caller.holder {
        Holder::Page(page_id) => node_of_page(state, page_id, id)?,
        Holder::User(user_id) if id == "me" || id == user_id => {
            (json!({ "id": user_id, "name": "Page Admin" }), "User", "id,name")
        }
        Holder::App if id == caller.app_id || id == "app" => {
            let name = state.apps.get(&caller.app_id).map(|app| app.name.as_str());
            (json!({ "id": caller.app_id, "name": name }), "Application", "id,name")
        }
        Holder::App | Holder::User(_) => return Err(GraphError::no_object(id)),
    };
    let wanted = call.text("fields").unwrap_or_else(|| by_default.to_owned());
    fields::pick(&node, &fields::parse(&wanted)?, kind)
}

/// What a Page token can read: the Page itself, its people, the messages of its threads.
fn node_of_page(state: &State, page_id: &str, id: &str) -> Result<(Value, &'static str, &'static str), GraphError> {
    let page = state.pages.get(page_id).ok_or_else(|| GraphError::no_object(id))?;
    if id == "me" || id == page_id {
        return Ok((json!({ "id": page.id, "name": page.name }), "Page", "id,name"));
    }
    if let Some(person) = page.people.get(id) {
        if person.profile_hidden {
            return Err(GraphError::new(230, None));
        }
        return Ok((profile(person), "User", "first_name,last_name,profile_pic,id"));
    }
    if let Some((person, place)) = conversations::find(page, id) {
        if place >= conversations::DETAILED_MAX {
            return Err(GraphError::new(9_000_001, None));
        }
        let message = person.messages.iter().find(|message| message.id == id);
        let node = message.map(|message| conversations::message_node(page, person, message));
        return Ok((node.unwrap_or_default(), "Message", "id,created_time"));
    }
    Err(GraphError::no_object(id))
}

fn profile(person: &Person) -> Value {
    let (first, last) = person.name.split_once(' ').unwrap_or((person.name.as_str(), ""));
    json!({
        "id": person.id,
        "name": person.name,
        "first_name": first,
        "last_name": (!last.is_empty()).then_some(last),
        "profile_pic": format!("https://platform-lookaside.fbsbx.com/platform/profilepic/?psid={}", person.id),
    })
}
