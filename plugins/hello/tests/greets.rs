//! Hello, run natively.

use bellhop_hello::Hello;
use bellhop_sdk::Fault;
use bellhop_sdk::testing::{self, Host};
use serde_json::{Value, json};

fn greeted(settings: &Value, locale: &str) -> Result<String, Fault> {
    let mut host = Host::new().settings(settings).locale(locale);
    Ok(host.run::<Hello>(testing::text("hi"))?.texts().concat())
}

#[test]
fn a_contact_is_greeted_in_the_language_of_the_locale() {
    let settings = json!({"de": "Guten Tag!", "en": "Welcome!"});
    assert_eq!(greeted(&settings, "de-AT"), Ok("Guten Tag!".to_owned()));
    assert_eq!(greeted(&settings, "hy-AM"), Ok("Welcome!".to_owned()));
}

#[test]
fn without_settings_there_is_still_a_greeting() {
    assert_eq!(greeted(&json!({}), "de"), Ok("Hello! How can we help?".to_owned()));
}
