//! Runs every case in a conversation of its own and holds the plugin to what its README says.

use bellhop_faq::Faq;
use bellhop_sdk::testing::{self, Host};

use crate::corpus::{self, Case, Count, Got, Set};

const README: &str = include_str!("../../README.md");

fn counted(set: Set) -> Count {
    let mut host = Host::new().searched_by("faq", &["questions", "title"]).records("faq", corpus::documents());
    let mut count = Count::default();
    for case in corpus::cases(set) {
        host.context_mut().session_json = None;
        let before = count;
        let got = got(&mut host, &case);
        count.add(&case, &got);
        if count.n_right == before.n_right && !(case.answers.is_empty() && got.texts.is_empty()) {
            println!("{set:?} {} {:?}: {:?} {:?}", case.language, case.text, got.texts, got.choices);
        }
    }
    count
}

fn got(host: &mut Host, case: &Case) -> Got {
    let ran = host.run::<Faq>(testing::text(&case.text)).unwrap();
    Got {
        texts: ran.texts().into_iter().map(str::to_owned).collect(),
        choices: ran.choices().into_iter().map(|(title, _)| title.to_owned()).collect(),
    }
}

/// The line of the README's table for a set.
fn row(name: &str, count: &Count) -> String {
    format!(
        "| {name} | {} | {} | {:.3} | {:.3} | {:.3} | {:.3} |",
        count.n_asked,
        count.n_refused,
        count.precision(),
        count.recall(),
        count.reach(),
        count.silence()
    )
}

fn assert_scored(name: &str, set: Set) {
    let count = counted(set);
    let row = row(name, &count);
    println!("{row}");
    assert!(count.precision() >= 0.95, "{row}");
    assert!(count.recall() >= 0.85, "{row}");
    assert!(README.contains(&row), "README.md should say: {row}");
}

#[test]
fn questions_that_thresholds_were_chosen_on_are_answered_as_the_readme_says() {
    assert_scored("tuning", Set::Tuning);
}

#[test]
fn questions_that_were_held_out_are_answered_as_the_readme_says() {
    assert_scored("held out", Set::HeldOut);
}

#[test]
fn the_corpus_is_large_and_each_answer_names_its_entry() {
    let documents = corpus::documents();
    let mut answers: Vec<&str> = documents.iter().filter_map(|document| document["answer"].as_str()).collect();
    answers.sort_unstable();
    answers.dedup();
    assert_eq!(answers.len(), documents.len(), "two entries share an answer");
    assert!(documents.len() >= 25);
    assert!(corpus::languages().len() >= 6);
    let cases = [corpus::cases(Set::Tuning), corpus::cases(Set::HeldOut)].concat();
    assert!(cases.iter().filter(|case| !case.answers.is_empty()).count() >= 120);
    assert!(cases.iter().filter(|case| case.answers.is_empty()).count() >= 40);
}
