//! Meta's error codes as data.

use super::Action;
use super::Action::{
    AlreadyReplied, BackOff, BackOffApp, Drop, Fix, Ignore, NotOwner, Pause, Reauthorise, Retry, RetryOnce,
    SlowRecipient, Suppress, WindowClosed,
};

/// Code, subcode, action.
const EXACT: [(i64, i64, Action); 46] = [
    (1, 1_357_046, Retry),
    (2, 2_018_344, Fix),
    (2, 1_545_133, Retry),
    (4, 2_018_354, Drop),
    (9, 2_018_352, Drop),
    (10, 2_018_278, WindowClosed),
    (10, 2_534_022, WindowClosed),
    (10, 2_018_065, WindowClosed),
    (10, 2_018_108, Suppress),
    (10, 1_893_015, Suppress),
    (10, 1_893_063, Pause),
    (10, 1_404_170, Pause),
    (10, 2_018_336, Drop),
    (10, 2_534_077, Reauthorise),
    (100, 33, Drop),
    (100, 2_018_001, Suppress),
    (100, 2_534_014, Suppress),
    (100, 2_018_008, RetryOnce),
    (100, 2_018_047, Drop),
    (100, 2_018_294, Drop),
    (100, 2_018_109, Drop),
    (100, 2_018_074, Drop),
    (100, 36_000, Drop),
    (100, 2_018_014, Fix),
    (100, 2_534_015, Fix),
    (100, 2_534_013, Reauthorise),
    (100, 2_534_025, AlreadyReplied),
    (100, 2_534_029, Pause),
    (100, 2_534_037, NotOwner),
    (100, 2_018_300, NotOwner),
    (100, 2_018_321, NotOwner),
    (190, 459, Reauthorise),
    (190, 464, Reauthorise),
    (200, 1_545_041, Suppress),
    (200, 2_018_028, Reauthorise),
    (200, 2_018_027, Reauthorise),
    (200, 2_018_021, Reauthorise),
    (200, 2_534_041, Pause),
    (551, 1_545_041, Suppress),
    (613, 1_996, BackOff),
    (613, 2_534_040, SlowRecipient),
    (613, 2_018_338, Suppress),
    (613, 1_893_016, Drop),
    (803, 2_018_218, Ignore),
    (803, 2_018_247, Ignore),
    (100, 2_018_247, Ignore),
];

/// Subcodes that mean the same whatever code they come with.
const BY_SUBCODE: [(i64, Action); 5] = [
    (2_018_278, WindowClosed),
    (2_534_022, WindowClosed),
    (2_534_037, NotOwner),
    (2_018_300, NotOwner),
    (1_545_133, Retry),
];

/// Codes with any other subcode, or none: first and last code of a range, action.
const BY_CODE: [(i64, i64, Action); 77] = [
    (0, 0, Reauthorise),
    (1, 2, Retry),
    (3, 3, Fix),
    (4, 4, BackOffApp),
    (10, 10, Reauthorise),
    (17, 17, BackOff),
    (32, 32, BackOff),
    (100, 100, Fix),
    (102, 102, Reauthorise),
    (190, 190, Reauthorise),
    (200, 229, Reauthorise),
    (230, 230, Ignore),
    (231, 299, Reauthorise),
    (341, 341, BackOff),
    (368, 368, Pause),
    (506, 506, Drop),
    (551, 551, Suppress),
    (613, 613, BackOff),
    (803, 803, Ignore),
    (1_200, 1_200, Retry),
    (2_022, 2_022, Pause),
    (2_500, 2_500, Fix),
    (9_010, 9_010, Suppress),
    (10_303, 10_303, Drop),
    (10_900, 10_900, AlreadyReplied),
    (10_902, 10_903, Drop),
    (36_103, 36_103, Pause),
    (80_001, 80_002, BackOff),
    (80_006, 80_008, BackOff),
    (130_429, 130_429, BackOff),
    (130_472, 130_472, Drop),
    (130_497, 130_497, Suppress),
    (131_000, 131_000, Retry),
    (131_005, 131_005, Reauthorise),
    (131_008, 131_009, Fix),
    (131_016, 131_016, Retry),
    (131_021, 131_021, Fix),
    (131_026, 131_026, Suppress),
    (131_030, 131_030, Fix),
    (131_031, 131_031, Pause),
    (131_037, 131_037, Pause),
    (131_042, 131_042, Pause),
    (131_044, 131_045, Pause),
    (131_047, 131_047, WindowClosed),
    (131_048, 131_048, Pause),
    (131_049, 131_049, Drop),
    (131_050, 131_050, Suppress),
    (131_051, 131_051, Drop),
    (131_052, 131_053, RetryOnce),
    (131_056, 131_056, SlowRecipient),
    (131_057, 131_057, Retry),
    (131_062, 131_063, Fix),
    (131_064, 131_064, Pause),
    (132_000, 132_001, Fix),
    (132_005, 132_005, Fix),
    (132_007, 132_008, Fix),
    (132_012, 132_012, Fix),
    (132_015, 132_016, Fix),
    (132_018, 132_018, Fix),
    (132_068, 132_069, Fix),
    (133_000, 133_000, Fix),
    (133_004, 133_004, Retry),
    (133_005, 133_006, Fix),
    (133_008, 133_009, Fix),
    (133_010, 133_010, Pause),
    (133_015, 133_015, Pause),
    (133_016, 133_016, Fix),
    (134_011, 134_011, Fix),
    (135_000, 135_000, Fix),
    (136_024, 136_025, Fix),
    (137_000, 137_000, Fix),
    (138_000, 139_999, Fix),
    (1_366_046, 1_366_046, Drop),
    (2_018_001, 2_018_001, Suppress),
    (2_018_218, 2_018_218, Ignore),
    (2_018_247, 2_018_247, Ignore),
    (9_000_001, 9_000_001, Drop),
];

/// The row for this very pair.
pub(super) fn exact(code: i64, subcode: i64) -> Option<Action> {
    EXACT.iter().find(|row| (row.0, row.1) == (code, subcode)).map(|row| row.2)
}

/// The row for a subcode that speaks for itself.
pub(super) fn by_subcode(subcode: i64) -> Option<Action> {
    BY_SUBCODE.iter().find(|row| row.0 == subcode).map(|row| row.1)
}

/// The row for a code.
pub(super) fn by_code(code: i64) -> Option<Action> {
    BY_CODE.iter().find(|row| (row.0..=row.1).contains(&code)).map(|row| row.2)
}
