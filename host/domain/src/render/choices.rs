//! Places choices: as quick replies, as a list, or numbered in the text where the channel cannot carry them.

use unicode_segmentation::UnicodeSegmentation;

use super::Layout;
use crate::channel::ChannelKind;
use crate::effect::Choice;

/// What a WhatsApp list carries (Meta: Cloud API, interactive list messages).
const LIST_ROWS: usize = 10;
const LIST_TITLE: usize = 24;
const LIST_PAYLOAD: usize = 200;

/// Where the choices of a reply go.
pub(super) struct Placed {
    pub(super) layout: Layout,
    pub(super) choices: Vec<Choice>,
    /// The text that stands for them.
    pub(super) numbered: Option<String>,
}

/// What one layout of a channel carries.
struct Carrier {
    layout: Layout,
    most: usize,
    title: usize,
    payload: usize,
    has_unique_titles: bool,
}

fn carriers(kind: ChannelKind) -> Vec<Carrier> {
    let carries = kind.carries();
    let is_whatsapp = kind == ChannelKind::Whatsapp;
    let mut carriers = vec![Carrier {
        layout: Layout::QuickReplies,
        most: carries.choices,
        title: carries.choice_title,
        payload: carries.choice_payload,
        has_unique_titles: is_whatsapp,
    }];
    if is_whatsapp {
        let (most, title, payload) = (LIST_ROWS, LIST_TITLE, LIST_PAYLOAD);
        carriers.push(Carrier { layout: Layout::List, most, title, payload, has_unique_titles: false });
    }
    carriers
}

pub(super) fn place(choices: &[&Choice], kind: ChannelKind) -> Placed {
    if choices.is_empty() {
        return Placed { layout: Layout::Text, choices: Vec::new(), numbered: None };
    }
    for carrier in carriers(kind) {
        if let Some(choices) = carry(choices, &carrier) {
            return Placed { layout: carrier.layout, choices, numbered: None };
        }
    }
    Placed { layout: Layout::Text, choices: Vec::new(), numbered: Some(number(choices)) }
}

/// The choices as lines of text.
pub(super) fn number(choices: &[&Choice]) -> String {
    let lines = choices.iter().zip(1..).map(|(choice, n)| format!("{n}. {}", choice.title.trim()));
    lines.collect::<Vec<_>>().join("\n")
}

/// The choices as the carrier shows them; `None` when they do not fit.
fn carry(choices: &[&Choice], carrier: &Carrier) -> Option<Vec<Choice>> {
    if choices.len() > carrier.most || choices.iter().any(|choice| choice.payload.len() > carrier.payload) {
        return None;
    }
    let fitted: Vec<Choice> = choices
        .iter()
        .map(|choice| Choice { title: shorten(choice.title.trim(), carrier.title), payload: choice.payload.clone() })
        .collect();
    let has_double =
        fitted.iter().enumerate().any(|(at, one)| fitted.iter().skip(at + 1).any(|two| two.title == one.title));
    (!(carrier.has_unique_titles && has_double)).then_some(fitted)
}

/// The title cut at the border of a visible character, with an ellipsis for what is missing.
fn shorten(title: &str, most: usize) -> String {
    if title.chars().count() <= most {
        return title.to_owned();
    }
    let mut short = String::new();
    let mut used = 1; // the ellipsis
    for grapheme in title.graphemes(true) {
        used += grapheme.chars().count();
        if used > most {
            break;
        }
        short.push_str(grapheme);
    }
    format!("{}…", short.trim_end())
}
