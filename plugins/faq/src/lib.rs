//! Answers frequently asked questions from the business's own entries: answers what it is sure of, asks once where it is
//! not, and otherwise stays silent. Never makes up a word of an answer, never asks twice in a row.

mod entry;
mod judge;
mod likeness;
mod reply;
mod segment;
mod session;
mod settings;
mod wording;
mod words;

use bellhop_sdk::records::Hit;
use bellhop_sdk::{Answer, Event, Fault, Plugin, Turn, records, text};

use entry::Entry;
use judge::{Judge, Languages, Match, Verdict};
pub use session::Session;
pub use settings::{Comments, OwnWording, SecondMiss, Settings};
use wording::Wording;

/// The collection of entries, as in `plugin.toml`.
const COLLECTION: &str = "faq";
/// Candidates per search: an entry that the host ranks lower has too little in common with the question.
const MAX_CANDIDATES: u32 = 16;
/// Searches per message: one for all of it, some for its sentences.
const MAX_SEARCHES: usize = 4;
/// Longest text that is looked at; Meta's own limit for a message.
const MAX_LETTERS: usize = 2000;
/// Someone who answers a clarifying question in words means one of the choices, so little is enough.
const NAMED_CHOICE: f64 = 0.45;

/// The plugin.
pub struct Faq;

impl Plugin for Faq {
    type Settings = Settings;
    type Session = Session;

    fn handle(turn: Turn<Self>) -> Result<Answer<Session>, Fault> {
        let asked = Asked::read(&turn);
        match &turn.event {
            Event::Messages(_) => match turn.payload() {
                Some(payload) => tapped(&turn, &asked, payload),
                None => written(&turn, &asked, &readable(&turn.text())),
            },
            Event::Comment(_) if turn.settings.comments == Comments::PrivateReply => comment(&turn, &asked),
            _ => Ok(Answer::pass()),
        }
    }
}

bellhop_sdk::export!(Faq);

/// What is known before the question is looked at.
struct Asked {
    session: Session,
    /// The session's language, else the locale's.
    spoken_so_far: String,
    now: u64,
}

impl Asked {
    fn read(turn: &Turn<Faq>) -> Self {
        let now = turn.context.now;
        let session = turn.session.clone().unwrap_or_default().still_valid(now);
        let spoken_so_far = if session.language.is_empty() { turn.language() } else { session.language.clone() };
        Self { session, spoken_so_far, now }
    }

    /// The session after an answer in the language of its entry.
    fn answered(&self, entry: Option<&Entry>) -> Session {
        let language = entry.map(Entry::spoken).filter(|spoken| !spoken.is_empty());
        Session::answered(&language.unwrap_or_else(|| self.spoken_so_far.clone()), self.now)
    }
}

/// Someone tapped a choice.
fn tapped(turn: &Turn<Faq>, asked: &Asked, payload: &str) -> Result<Answer<Session>, Fault> {
    if payload == reply::HUMAN {
        let wording = Wording::of(&asked.spoken_so_far, &turn.settings);
        return Ok(reply::call_human(&wording).remember(asked.answered(None)));
    }
    if let Some(question) = payload.strip_prefix(reply::ASK) {
        return written(turn, asked, question);
    }
    let Some(id) = payload.strip_prefix(reply::ENTRY) else { return Ok(Answer::pass()) };
    match records::get(COLLECTION, id)?.as_ref().and_then(Entry::read) {
        Some(entry) => Ok(reply::chosen(&entry).remember(asked.answered(Some(&entry)))),
        // The entry was removed since it was offered; what stands on the choice may lead to another.
        None => written(turn, asked, &readable(&turn.text())),
    }
}

/// Someone wrote.
fn written(turn: &Turn<Faq>, asked: &Asked, question: &str) -> Result<Answer<Session>, Fault> {
    let terms = text::terms(question);
    if terms.is_empty() {
        return Ok(Answer::pass());
    }
    if let Some(entry) = chosen_in_words(asked, question)? {
        return Ok(reply::chosen(&entry).remember(asked.answered(Some(&entry))));
    }
    let asked_in = words::language_of(question, &terms);
    let has_picture = turn.attachments().any(|attachment| attachment.kind == "image");
    let verdict = judged(asked, question, asked_in)?;
    let language = asked_in.map_or_else(|| verdict.language(&asked.spoken_so_far), ToOwned::to_owned);
    let wording = Wording::of(&language, &turn.settings);
    match verdict {
        Verdict::Answered(matches) => {
            let last = matches.last().map(|found| &found.entry);
            Ok(reply::answers(&matches).remember(asked.answered(last)))
        }
        Verdict::Unsure(matches) if has_picture => Ok(about_picture(asked, &matches, &wording)),
        Verdict::Unknown if has_picture && turn.settings.second_miss == SecondMiss::OfferHuman => {
            Ok(about_picture(asked, &[], &wording))
        }
        Verdict::Unsure(matches) if asked.session.n_misses == 0 => Ok(clarified(asked, &matches, &wording)),
        Verdict::Unsure(_) | Verdict::Unknown => Ok(missed(turn, asked, &wording)),
    }
}

/// A comment is answered only when there is no doubt: it stands in public.
fn comment(turn: &Turn<Faq>, asked: &Asked) -> Result<Answer<Session>, Fault> {
    let question = readable(&turn.text());
    let asked_in = words::language_of(&question, &text::terms(&question));
    match judged(asked, &question, asked_in)? {
        Verdict::Answered(matches) => Ok(matches.first().map_or_else(Answer::pass, |found| {
            reply::comment(found, &Wording::of(&found.entry.spoken(), &turn.settings))
        })),
        Verdict::Unsure(_) | Verdict::Unknown => Ok(Answer::pass()),
    }
}

/// Finds candidates for the whole message and, in a long one, for its sentences; then judges them together.
fn judged(asked: &Asked, question: &str, asked_in: Option<&str>) -> Result<Verdict, Fault> {
    let mut hits: Vec<Hit> = records::search(COLLECTION, question, asked_in, MAX_CANDIDATES)?;
    let sentences = segment::sentences(question);
    if sentences.len() > 1 {
        for sentence in sentences.iter().take(MAX_SEARCHES - 1) {
            for hit in records::search(COLLECTION, sentence, asked_in, MAX_CANDIDATES)? {
                if hits.iter().all(|known| known.entry.id != hit.entry.id) {
                    hits.push(hit);
                }
            }
        }
    }
    let languages = Languages { asked_in: asked_in.map(ToOwned::to_owned), spoken_so_far: asked.spoken_so_far.clone() };
    Ok(Judge::new(question, &Entry::read_all(&hits), &languages).message())
}

/// The answer to a clarifying question in words: its number, or some of its words.
fn chosen_in_words(asked: &Asked, question: &str) -> Result<Option<Entry>, Fault> {
    if asked.session.offered.is_empty() {
        return Ok(None);
    }
    let mut offered = Vec::new();
    for id in &asked.session.offered {
        offered.extend(records::get(COLLECTION, id)?.as_ref().and_then(Entry::read));
    }
    if let Ok(number) = text::fold(question.trim()).parse::<usize>() {
        return Ok(number.checked_sub(1).and_then(|position| offered.into_iter().nth(position)));
    }
    let by_title = offered.iter().find(|entry| text::fold(&entry.label()) == text::fold(question.trim()));
    if let Some(entry) = by_title {
        return Ok(Some(entry.clone()));
    }
    let languages = Languages { asked_in: None, spoken_so_far: asked.spoken_so_far.clone() };
    Ok(Judge::new(question, &offered, &languages).named(NAMED_CHOICE).map(|found| found.entry))
}

fn clarified(asked: &Asked, matches: &[Match], wording: &Wording) -> Answer<Session> {
    reply::clarify(matches, wording).remember(offering(asked, matches)).hold()
}

fn about_picture(asked: &Asked, matches: &[Match], wording: &Wording) -> Answer<Session> {
    reply::no_pictures(matches, wording).remember(offering(asked, matches))
}

/// Nothing fits: silence at first, so that others may answer; after a clarifying question the offer of a person, once.
fn missed(turn: &Turn<Faq>, asked: &Asked, wording: &Wording) -> Answer<Session> {
    if asked.session.n_misses != 1 || turn.settings.second_miss == SecondMiss::Pass {
        return Answer::pass();
    }
    let session = Session { n_misses: 2, offered: Vec::new(), ..offering(asked, &[]) };
    reply::offer_human(wording).remember(session)
}

fn offering(asked: &Asked, matches: &[Match]) -> Session {
    Session {
        language: asked.spoken_so_far.clone(),
        offered: matches.iter().map(|found| found.entry.id.clone()).collect(),
        n_misses: asked.session.n_misses.saturating_add(1),
        at: asked.now,
    }
}

/// The part of a text that can hold a question: at most [`MAX_LETTERS`], without the host's tokens for personal data.
fn readable(text: &str) -> String {
    let mut readable = String::new();
    let mut in_token = false;
    for letter in text.chars().take(MAX_LETTERS) {
        match letter {
            '⟦' => in_token = true,
            '⟧' => in_token = false,
            _ if in_token => {}
            other => readable.push(other),
        }
    }
    readable
}
