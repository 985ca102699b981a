//! The time, on two clocks: a wall clock that people can set, and one that only moves forward.

use tokio::time::{Duration, Instant};

/// A moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Milliseconds since the Unix epoch. Counts the time that the machine sleeps.
    pub(crate) wall: u64,
    /// Never goes back. On Linux and macOS it stands still while the machine sleeps.
    pub(crate) steady: Instant,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self {
            wall: wall(),
            steady: Instant::now(),
        }
    }

    /// Whether `span` has passed since this moment, on either clock.
    ///
    /// The steady clock decides while the machine is awake, whatever happens to the wall clock; the
    /// wall clock notices that the machine has slept.
    pub(crate) fn is_past(&self, span: Duration, now: Self) -> bool {
        now.steady.duration_since(self.steady) >= span
            || now.wall >= self.wall.saturating_add(millis(span))
    }
}

/// `span` in whole milliseconds.
pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(not(test))]
fn wall() -> u64 {
    use std::time::SystemTime;

    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // A clock before 1970 is as wrong as one that shows 1970.
    since_epoch.map_or(0, millis)
}

#[cfg(test)]
fn wall() -> u64 {
    virtual_wall::now()
}

/// In tests the wall clock follows the clock of the runtime, which a test can stop and move.
#[cfg(test)]
pub(super) mod virtual_wall {
    use std::{
        cell::Cell,
        sync::LazyLock,
        time::{Instant as StdInstant, SystemTime},
    };

    use tokio::time::Instant;

    use super::millis;

    static START: LazyLock<(u64, StdInstant)> = LazyLock::new(|| {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        (millis(since_epoch.unwrap()), StdInstant::now())
    });

    thread_local! {
        static SET_BY: Cell<i64> = const { Cell::new(0) };
    }

    /// Sets the wall clock forward or back, as a person does.
    pub(crate) fn set_by(change: i64) {
        SET_BY.with(|set_by| set_by.set(set_by.get() + change));
    }

    pub(super) fn now() -> u64 {
        let (at_start, start) = *START;
        let now = at_start + millis(Instant::now().into_std().saturating_duration_since(start));
        now.saturating_add_signed(SET_BY.with(Cell::get))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_span_passes_on_either_clock() {
        let start = Moment::now();
        virtual_wall::set_by(-3_600_000);
        assert!(!start.is_past(MINUTE, Moment::now()));
        // The clock was set back, and the machine is awake.
        tokio::time::advance(MINUTE).await;
        assert!(start.is_past(MINUTE, Moment::now()));
        // The machine has slept: the steady clock stood still.
        let start = Moment::now();
        virtual_wall::set_by(60_000);
        assert!(start.is_past(MINUTE, Moment::now()));
    }
}
