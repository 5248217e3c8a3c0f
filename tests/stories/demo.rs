//! The demo as a visitor sees it: chromium opens the page, a question is typed into the phone, and the answer and its way
//! appear.

#[cfg(test)]
mod browser;

use bellhop::command::demo;

use browser::Browser;

/// What the page shows of a story, and what the phone shows: true once both have the answer.
const ANSWERED: &str = r#"
    [...document.querySelectorAll("[data-phone] .is-theirs .phone-bubble")].some((bubble) => bubble.textContent.includes("7:30"))
    && [...document.querySelectorAll(".story.is-open .step-graph .answer")].some((answer) => answer.textContent.includes("7:30"))
    && document.querySelector(".story .tag").textContent.startsWith("Answered in")
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typed_question_is_answered_on_the_page() {
    let Some(mut browser) = Browser::find().await else { return };
    let demo = demo::start(0).await.unwrap();
    browser.open(demo.url()).await;
    browser.wait_for(r#"document.querySelector("[data-phone] [role=tab]") !== null"#).await;
    browser.evaluate(r#"document.querySelector("[data-phone] textarea").focus()"#).await;
    browser.type_line("What are your opening hours?").await;
    browser.wait_for(ANSWERED).await;
    let steps = browser
        .evaluate(
            r#"[...document.querySelectorAll(".story.is-open .step")].map((step) => step.classList[1]).join(" ")"#,
        )
        .await;
    assert_eq!(steps.as_str(), Some("step-webhook step-inbox step-plugin step-policy step-graph"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
    browser.close().await;
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_for_a_person_is_shown_and_can_be_given_back() {
    let Some(mut browser) = Browser::find().await else { return };
    let demo = demo::start(0).await.unwrap();
    browser.open(&format!("{}/?ask=I%20want%20to%20talk%20to%20a%20person&as=Noah", demo.url())).await;
    browser.wait_for(r#"document.querySelector(".story .step-person .note-words")?.textContent === "I want to talk to a person""#).await;
    browser.evaluate(r#"document.querySelector(".held button").click()"#).await;
    browser.wait_for(r#"document.querySelector(".story .step-person") && !document.querySelector(".held")"#).await;
    browser.evaluate(r#"document.querySelector("[data-phone]").phone.say("Can I bring my dog?")"#).await;
    browser
        .wait_for(r#"document.querySelector(".story.is-open .step-graph .answer")?.textContent.includes("terrace")"#)
        .await;
    browser.close().await;
    demo.stop().await;
}
