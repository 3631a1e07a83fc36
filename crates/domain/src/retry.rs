//! What becomes of work that failed: one function of values, and its table.
//!
//! | attempt | fails at | next attempt after | sum of waits |
//! |---|---|---|---|
//! | 1 | at once | 10 s | 10 s |
//! | 2 | | 30 s | 40 s |
//! | 3 | | 90 s | 130 s |
//! | 4 | | none: dead letter | |
//!
//! Each wait is scattered by ± 20 %, so that what failed together does not come back together. It ends after a bit
//! more than two minutes because a provider that is away longer is a matter for people: they see dead letters, and
//! replay them. A `Retry-After` of the provider that asks for more wins against the table's wait, up to an hour, and is
//! scattered upwards alone: nobody comes back earlier than asked. One that asks for less does not use up the attempts sooner.

use std::time::Duration;

use rand::Rng;

use crate::FailureClass;

/// Waits before the second, third and fourth attempt.
pub const DEFAULT_DELAYS: [Duration; 3] =
    [Duration::from_secs(10), Duration::from_secs(30), Duration::from_secs(90)];

/// The longest `Retry-After` that is followed.
pub const RETRY_AFTER_LIMIT: Duration = Duration::from_secs(3600);

/// What to do with work that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// Try again.
    Retry {
        /// Which delay tier waits with it, from 0.
        tier: usize,
        /// How long it waits, before it is scattered.
        wait: Duration,
    },
    /// Try again later than the tiers hold a message.
    Postpone {
        /// How long it waits, before it is scattered.
        wait: Duration,
    },
    /// Give it up.
    DeadLetter,
}

/// Decides. `attempt` counts from 1.
#[must_use]
pub fn after_failure(
    class: FailureClass,
    attempt: u32,
    retry_after: Option<Duration>,
    delays: &[Duration; 3],
) -> AfterFailure {
    let tier = attempt.saturating_sub(1) as usize;
    match (class, delays.get(tier)) {
        (FailureClass::Transient, Some(delay)) => match retry_after {
            // All messages of a tier wait about as long: only the head of its queue can expire.
            Some(asked) if asked > *delay => AfterFailure::Postpone { wait: asked.min(RETRY_AFTER_LIMIT) },
            Some(_) | None => AfterFailure::Retry { tier, wait: *delay },
        },
        (FailureClass::Transient, None) | (FailureClass::Permanent | FailureClass::Poison, _) => {
            AfterFailure::DeadLetter
        }
    }
}

/// Scatters a wait by ± 20 %.
#[must_use]
pub fn with_jitter(wait: Duration, rng: &mut impl Rng) -> Duration {
    wait.mul_f64(rng.random_range(0.8..=1.2))
}

/// Scatters a wait that somebody asked for: by up to a fifth more, and never less.
#[must_use]
pub fn with_added_jitter(wait: Duration, rng: &mut impl Rng) -> Duration {
    wait.mul_f64(rng.random_range(1.0..=1.2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn the_table_is_as_documented() {
        let mut lines = Vec::new();
        for class in FailureClass::ALL {
            for attempt in 1..=5 {
                for retry_after in [None, Some(Duration::from_secs(7)), Some(Duration::from_secs(86_400))] {
                    let next = after_failure(*class, attempt, retry_after, &DEFAULT_DELAYS);
                    lines.push(format!("{class}, attempt {attempt}, Retry-After {retry_after:?}: {next:?}"));
                }
            }
        }
        insta::assert_snapshot!(lines.join("\n"));
    }

    proptest! {
        #[test]
        fn a_scattered_wait_stays_within_a_fifth(seconds in 0u64..10_000, seed: u64) {
            let wait = Duration::from_secs(seconds);
            let with_jitter = with_jitter(wait, &mut StdRng::seed_from_u64(seed));
            prop_assert!(with_jitter >= wait.mul_f64(0.799) && with_jitter <= wait.mul_f64(1.201));
        }

        #[test]
        fn a_wait_that_was_asked_for_is_never_cut_short(seconds in 0u64..10_000, seed: u64) {
            let wait = Duration::from_secs(seconds);
            let with_jitter = with_added_jitter(wait, &mut StdRng::seed_from_u64(seed));
            prop_assert!(with_jitter >= wait && with_jitter <= wait.mul_f64(1.201));
        }

        #[test]
        fn work_ends_after_four_attempts_at_most(attempt in 4u32.., asked in prop::option::of(0u64..100)) {
            let asked = asked.map(Duration::from_secs);
            prop_assert_eq!(
                after_failure(FailureClass::Transient, attempt, asked, &DEFAULT_DELAYS),
                AfterFailure::DeadLetter
            );
        }
    }
}
