//! The whole app against the simulator, one file a story.

mod support;

mod answered;
mod faq_score;
mod law;
mod records;
