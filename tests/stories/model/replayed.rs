//! Cases that once failed, or that say best what a case is, as the model prints them.

use super::play;
use super::step::{At::*, Goes::*, Step::*, Way::*, What::*, Who::*};
use crate::support::story;

/// A case on both engines.
macro_rules! replay {
    ($(#[$doc:meta])* $name:ident, [$($step:expr),* $(,)?]) => {
        story!($(#[$doc])* $name, |app| {
            play(app, &[$($step),*]).await.unwrap();
        });
    };
}

replay!(
    a_turn_whose_lease_ran_out_commits_nothing,
    [
        Say { who: Ana, what: Known },
        PostAll { at: First, way: InOrder },
        Wait { millis: 1_600 },
        Claim { at: First },
        Wait { millis: 6_100 },
        Turn { at: Second },
        Finish { at: First },
        Send { at: First, goes: Well },
    ]
);

replay!(
    a_host_that_dies_while_meta_is_slow_says_nothing_twice,
    [
        Say { who: Ana, what: Known },
        PostAll { at: First, way: InOrder },
        Wait { millis: 1_600 },
        Turn { at: First },
        Send { at: First, goes: Slowly },
        Crash { at: First },
        Wait { millis: 12_100 },
        Send { at: Second, goes: Well },
    ]
);
