//! A write into a keychain: it updates the item, and adds one only where there is none.
//!
//! To add first would make a second item where the app's access groups have changed their order. To
//! add after any failed update would answer "duplicate" where the person has said no.

use keyring_core::{Error, Result};

/// Updates, or adds where `update` answers `NoEntry`. Who added an item in between has lost to this
/// write, which came later: that item is updated.
pub(super) fn update_or_add(
    update: impl Fn() -> Result<()>,
    add: impl Fn() -> Result<()>,
    is_duplicate: impl Fn(&Error) -> bool,
) -> Result<()> {
    match update() {
        Err(Error::NoEntry) => match add() {
            Err(error) if is_duplicate(&error) => update(),
            answer => answer,
        },
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::store::os_status::{is_duplicate, tests::Status};

    const OK: i32 = 0;
    const CANCELLED: i32 = -128;
    const DUPLICATE: i32 = -25299;
    const ABSENT: i32 = -25300;

    /// The calls of a write to a keychain that gives these answers, and the status of the write.
    fn write(answers: &[i32]) -> (String, i32) {
        let calls = RefCell::new(String::new());
        let answer = |call| {
            let number = calls.borrow().len();
            calls.borrow_mut().push(call);
            match answers[number] {
                OK => Ok(()),
                ABSENT => Err(Error::NoEntry),
                status => Err(Error::PlatformFailure(Box::new(Status(status)))),
            }
        };
        let status = match update_or_add(|| answer('u'), || answer('a'), is_duplicate::<Status>) {
            Ok(()) => OK,
            Err(Error::PlatformFailure(source)) => source.downcast_ref::<Status>().unwrap().0,
            Err(_) => ABSENT,
        };
        (calls.into_inner(), status)
    }

    #[test]
    fn an_item_is_updated_and_only_an_absent_one_is_added() {
        for (answers, calls, status) in [
            (&[OK][..], "u", OK),
            (&[ABSENT, OK], "ua", OK),
            (&[CANCELLED], "u", CANCELLED),
            (&[ABSENT, CANCELLED], "ua", CANCELLED),
        ] {
            assert_eq!(write(answers), (calls.into(), status));
        }
    }

    #[test]
    fn p2_a_write_that_meets_the_one_of_another_process_comes_last() {
        assert_eq!(write(&[ABSENT, DUPLICATE, OK]), ("uau".into(), OK));
        assert_eq!(
            write(&[ABSENT, DUPLICATE, CANCELLED]),
            ("uau".into(), CANCELLED)
        );
    }
}
