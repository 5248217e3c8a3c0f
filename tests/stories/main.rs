//! The whole app against the simulator, one file a story.

#![cfg(test)]

mod support;

mod allowance;
mod answered;
mod attack;
mod backup;
mod commands;
mod consent;
mod corpus;
mod crash;
mod demo;
mod duplicates;
mod echoes;
mod evidence;
mod faq_score;
mod graph;
mod handback;
mod health;
mod latecomers;
mod law;
mod ledger;
mod lookups;
mod masking;
mod migrate_store;
mod model;
mod newcomers;
mod operations;
mod plans;
mod plugins;
mod records;
mod refused;
mod revoked;
mod signatures;
mod silence;
mod status;
mod suspended;
mod tenants;
mod undelivered;
mod upkeep;
mod wakeups;
