//! The plugin against the scored questions, with the SDK's plain search instead of the host's.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod score;
