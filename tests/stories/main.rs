//! The whole app against the simulator, one file a story.

mod support;

mod answered;
mod demo;
mod faq_score;
mod law;
mod records;
