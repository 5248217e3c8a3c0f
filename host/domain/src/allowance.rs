//! How senders keep within what Meta allows them: an app and its assets slow down when much is used and fall silent when nearly
//! all is, for Meta prolongs the block of whoever goes on (Meta: Rate Limits); what is left is shared out evenly; and a person who
//! gets too much is left alone for a while.

use std::time::Duration;

use crate::channel::ChannelKind;

/// From here on a sender slows down.
const MUCH_PERCENT: u32 = 75;

/// From here on it is silent.
const NEARLY_ALL_PERCENT: u32 = 95;

/// Between two messages of a sender that has just come to use much, or of which it is only known that it is slow: half an hour's
/// worth of sends does not fall into one minute.
pub const SLOW: Duration = Duration::from_secs(2);

/// How long it is silent where Meta gives no time.
const SILENT: Duration = Duration::from_secs(60);

/// Meta's windows are one hour; whoever is told a longer time asks again then.
const LONGEST: Duration = Duration::from_secs(3_600);

/// How long a sender stays slow after the last answer that asked for it, and after a silence: the next answer says how it stands.
pub const SLOW_LASTS: Duration = Duration::from_secs(60);

/// How fast may be sent, for an app or for one of its assets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// As fast as it goes, side by side.
    #[default]
    Free,
    /// One by one, with this rest between them. Of a slow app each workspace has one such line, whatever it wants to send: who
    /// sends much uses up nothing that others need.
    Slow(Duration),
    /// Not at all for so long, and slowly then.
    Silent(Duration),
}

impl Pace {
    /// How long nothing is sent.
    pub fn silence(self) -> Duration {
        match self {
            Self::Free | Self::Slow(_) => Duration::ZERO,
            Self::Silent(wait) => wait,
        }
    }
}

/// The pace after an answer that says how much is used, in percent, and when a blocked sender may go on. Slower and slower from
/// where much is used to where nearly all is.
pub fn pace_after(percent: u32, regain_after: Option<Duration>) -> Pace {
    if let Some(wait) = regain_after {
        return Pace::Silent(wait.min(LONGEST));
    }
    match percent {
        0..MUCH_PERCENT => Pace::Free,
        MUCH_PERCENT..NEARLY_ALL_PERCENT => {
            Pace::Slow(SLOW * (NEARLY_ALL_PERCENT - MUCH_PERCENT) / (NEARLY_ALL_PERCENT - percent))
        }
        NEARLY_ALL_PERCENT.. => Pace::Silent(SILENT),
    }
}

/// The pace of a sender that Meta has refused because it sends too much.
pub fn pace_after_refusal(percent: u32, regain_after: Option<Duration>) -> Pace {
    Pace::Silent(pace_after(percent, regain_after).silence().max(SILENT))
}

/// Shares places out among those who want some: one each in turn, in their order, until nothing is left or nothing more is wanted.
/// Whoever wants less than the others gets all of it.
pub fn shares(mut n_places: usize, wants: &[usize]) -> Vec<usize> {
    let mut shares = vec![0; wants.len()];
    loop {
        let before = n_places;
        for (share, want) in shares.iter_mut().zip(wants) {
            if n_places > 0 && *share < *want {
                *share += 1;
                n_places -= 1;
            }
        }
        if n_places == before {
            return shares;
        }
    }
}

/// How a person who got too much is left alone: at least so long, and this number of seconds to the power of the refusals.
struct Recipient {
    least: Duration,
    growth: u32,
}

/// A row for each kind of channel. WhatsApp takes a message to one person every 6 s, lets 45 go ahead of that, and asks for 4^n s
/// (Meta: Cloud API, Pair rate limits). For a single thread of the others Meta gives no figure; they grow as any other retry.
const RECIPIENTS: [(ChannelKind, Recipient); 5] = [
    (ChannelKind::Messenger, Recipient { least: Duration::from_secs(2), growth: 3 }),
    (ChannelKind::Instagram, Recipient { least: Duration::from_secs(2), growth: 3 }),
    (ChannelKind::Whatsapp, Recipient { least: Duration::from_secs(6), growth: 4 }),
    (ChannelKind::PageComments, Recipient { least: Duration::from_secs(2), growth: 3 }),
    (ChannelKind::InstagramComments, Recipient { least: Duration::from_secs(2), growth: 3 }),
];

/// No longer, so that somebody who is answered late is not answered too late.
const LONGEST_RECIPIENT: Duration = Duration::from_secs(20 * 60);

/// How long nothing goes to a person after so many refusals that concerned them alone.
pub fn recipient_rest(kind: ChannelKind, n_refusals: u32) -> Duration {
    let row = RECIPIENTS.iter().find(|(of, _)| *of == kind);
    let (least, growth) = row.map_or((SILENT, 1), |(_, row)| (row.least, row.growth));
    Duration::from_secs(u64::from(growth).saturating_pow(n_refusals)).max(least).min(LONGEST_RECIPIENT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_more_is_used_the_slower_a_sender_is() {
        let paces = [0, 74, 75, 85, 94, 95, 180].map(|percent| pace_after(percent, None));
        let slow = [2, 4, 40].map(|n| Pace::Slow(seconds(n)));
        let silent = Pace::Silent(SILENT);
        assert_eq!(paces, [Pace::Free, Pace::Free, slow[0], slow[1], slow[2], silent, silent]);
    }

    #[test]
    fn metas_own_time_counts_up_to_an_hour() {
        let (minutes, day) = (seconds(19 * 60), seconds(86_400));
        assert_eq!(pace_after(97, Some(minutes)), Pace::Silent(minutes));
        assert_eq!(pace_after(20, Some(day)), Pace::Silent(LONGEST));
        assert_eq!(pace_after_refusal(0, None), Pace::Silent(SILENT));
        assert_eq!(pace_after_refusal(80, None), Pace::Silent(SILENT));
        assert_eq!(pace_after_refusal(100, Some(minutes)), Pace::Silent(minutes));
    }

    #[test]
    fn who_wants_little_gets_it_and_the_rest_is_even() {
        assert_eq!(shares(64, &[100_000, 1]), [63, 1]);
        assert_eq!(shares(10, &[8, 2, 8]), [4, 2, 4]);
        assert_eq!(shares(2, &[5, 5, 5]), [1, 1, 0], "whose turn it is comes first");
        assert_eq!(shares(0, &[5]), [0]);
        assert!(shares(5, &[]).is_empty());
    }

    #[test]
    fn a_person_is_left_alone_longer_and_longer() {
        let rests = |kind| [1, 2, 3, 4, 5, 90].map(|n| recipient_rest(kind, n).as_secs());
        assert_eq!(rests(ChannelKind::Whatsapp), [6, 16, 64, 256, 1_024, 1_200]);
        assert_eq!(rests(ChannelKind::Messenger), [3, 9, 27, 81, 243, 1_200]);
        for kind in ChannelKind::ALL {
            assert!(RECIPIENTS.iter().any(|(of, _)| *of == kind), "{kind:?} has a row");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_shared_out_twice_or_kept_back(n_places in 0_usize..200, wants in proptest::collection::vec(0_usize..50, 0..20)) {
            let shares = shares(n_places, &wants);
            prop_assert_eq!(shares.iter().sum::<usize>(), n_places.min(wants.iter().sum()));
            prop_assert!(shares.iter().zip(&wants).all(|(share, want)| share <= want));
            let most = shares.iter().max().copied().unwrap_or(0);
            prop_assert!(shares.iter().zip(&wants).all(|(share, want)| share == want || share + 1 >= most));
        }
    }
}
