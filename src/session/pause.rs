//! How long to wait before a server or a store is asked again.

use std::time::Duration;

/// The longest random part, and the longest wait that a server can ask for.
const LONGEST_JITTER: Duration = Duration::from_secs(120);
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The wait after the failure of a refresh that came after `failures` others in a row.
///
/// What the server asks for, up to an hour, and on top a random time of up to 2, 4, 8 and so on to 120
/// seconds, or of up to as long as the server asked for: clients that failed together, or were told
/// the same, must not return together ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
pub(crate) fn after_refresh(retry_after: Option<Duration>, failures: u32) -> Duration {
    let asked = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
    let doubled = Duration::from_secs(2).saturating_mul(1 << failures.min(10));
    asked
        + doubled
            .max(asked)
            .min(LONGEST_JITTER)
            .mul_f64(1.0 - random())
}

/// The wait after the failure of a write that came after `failures` others in a row: 0.5 to 1 second,
/// doubled each time up to 30 to 60 seconds.
pub(crate) fn after_write(failures: u32) -> Duration {
    let doubled = Duration::from_millis(500).saturating_mul(1 << failures.min(10));
    doubled.min(Duration::from_secs(30)).mul_f64(1.0 + random())
}

/// A number of at least 0 and below 1. It spreads clients out and need not be unpredictable.
pub(crate) fn random() -> f64 {
    use std::hash::{BuildHasher, RandomState};

    #[cfg(test)]
    if let Some(number) = chance::next() {
        return number;
    }
    // Each `RandomState` has keys of its own, which the system drew.
    let bits = RandomState::new().hash_one(()) >> 32;
    f64::from(u32::try_from(bits).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
}

/// A test can have the same numbers in every run.
#[cfg(test)]
pub(super) mod chance {
    use std::cell::RefCell;

    thread_local! {
        static SOURCE: RefCell<Option<fastrand::Rng>> = const { RefCell::new(None) };
    }

    /// From now on this thread draws the numbers that follow from `seed`.
    pub(crate) fn seed(seed: u64) {
        SOURCE.set(Some(fastrand::Rng::with_seed(seed)));
    }

    pub(super) fn next() -> Option<f64> {
        SOURCE.with_borrow_mut(|source| source.as_mut().map(fastrand::Rng::f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_failed_together_do_not_return_together() {
        let waits: Vec<_> = (0..1000).map(|_| after_refresh(None, 5)).collect();
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(64)));
        let early = waits.iter().filter(|wait| **wait < Duration::from_secs(32));
        assert!((400..600).contains(&early.count()));
    }

    #[test]
    fn no_client_returns_before_the_server_wants_it() {
        let minute = Duration::from_secs(60);
        for _ in 0..1000 {
            let wait = after_refresh(Some(minute), 0);
            assert!(wait >= minute && wait <= minute * 2);
            let longest = after_refresh(Some(Duration::MAX), u32::MAX);
            assert!(longest <= LONGEST_RETRY_AFTER + LONGEST_JITTER);
            assert!(after_write(u32::MAX) <= minute);
        }
    }
}
