//! How GVariant frames the parts of a container, for the few types that a keyring file is made of.
//!
//! GVariant specification 1.0 (part of the documentation of GLib), "Framing Offsets": behind its parts a
//! container says where each part of varying length ends, counted from its own start. The numbers are
//! little-endian here, all of the same width: the smallest that can express the size of the whole
//! container, the numbers themselves included. An array has one for each part, in their order; a
//! structure has none for its last part, and has them in reverse order.

/// Ends the container that begins at `start` of `bytes` and whose parts are written.
pub(super) fn end_container(bytes: &mut Vec<u8>, start: usize, ends: &[usize]) {
    let width = width(bytes.len() - start, ends.len());
    for end in ends {
        bytes.extend_from_slice(&end.to_le_bytes()[..width]);
    }
}

/// The parts of a container, and the `N` numbers behind them as they are stored.
///
/// `None` unless they have the width that the specification asks for.
pub(super) fn split_container<const N: usize>(container: &[u8]) -> Option<(&[u8], [usize; N])> {
    split(container, |parts_len| width(parts_len, N))
}

/// As [`split_container`] for an entry of a dictionary, which ends with one number.
///
/// zvariant, with which version 0.1 wrote its files, does not count that number when it chooses its
/// width. That makes a difference for an entry of 255 bytes alone, which zvariant itself cannot read.
pub(super) fn split_entry(entry: &[u8]) -> Option<(&[u8], usize)> {
    let (parts, [end]) =
        split_container(entry).or_else(|| split(entry, |parts_len| width(parts_len, 0)))?;
    Some((parts, end))
}

/// The text of a string, which ends with the only NUL that it has.
pub(super) fn text(string: &[u8]) -> Option<&str> {
    let text = str::from_utf8(string.strip_suffix(&[0])?).ok()?;
    (!text.contains('\0')).then_some(text)
}

/// The first position from `position` on at which a number of eight bytes may begin ("Alignment").
pub(super) fn aligned_to_8(position: usize) -> usize {
    position.next_multiple_of(8)
}

const WIDTHS: [usize; 4] = [1, 2, 4, 8];

/// The width of `count` numbers behind parts of `parts_len` bytes.
fn width(parts_len: usize, count: usize) -> usize {
    for (width, largest) in WIDTHS.into_iter().zip([0xff, 0xffff, 0xffff_ffff]) {
        if parts_len + count * width <= largest {
            return width;
        }
    }
    8
}

fn split<const N: usize>(
    container: &[u8],
    width_behind: impl Fn(usize) -> usize,
) -> Option<(&[u8], [usize; N])> {
    let parts_len = |width| container.len().checked_sub(N * width);
    let width = WIDTHS
        .into_iter()
        .find(|width| parts_len(*width).is_some_and(|length| width_behind(length) == *width))?;
    let (parts, numbers) = container.split_at_checked(parts_len(width)?)?;
    let mut ends = [0; N];
    for (end, number) in ends.iter_mut().zip(numbers.chunks_exact(width)) {
        let mut bytes = [0; 8];
        bytes[..width].copy_from_slice(number);
        *end = usize::try_from(u64::from_le_bytes(bytes)).ok()?;
    }
    Some((parts, ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Array of Strings Example" and "Structure Example".
    #[test]
    fn p7_the_examples_of_the_specification_are_framed_as_it_says() {
        let mut array = b"i\0can\0has\0strings?\0".to_vec();
        end_container(&mut array, 0, &[2, 6, 10, 19]);
        assert_eq!(array, b"i\0can\0has\0strings?\0\x02\x06\x0a\x13");
        let (parts, ends) = split_container::<4>(&array).unwrap();
        assert_eq!((parts, ends), (&array[..19], [2, 6, 10, 19]));

        let mut structure = b"foo\0\xff\xff\xff\xff".to_vec();
        end_container(&mut structure, 0, &[4]);
        assert_eq!(structure, b"foo\0\xff\xff\xff\xff\x04");
    }

    #[test]
    fn p7_the_width_of_the_numbers_grows_with_the_whole_container() {
        for (parts_len, width) in [(0, 1), (253, 1), (254, 2), (65_531, 2), (65_532, 4)] {
            let parts = vec![7; parts_len];
            let mut container = parts.clone();
            end_container(&mut container, 0, &[1, parts_len]);
            assert_eq!(container.len(), parts_len + 2 * width, "{parts_len}");
            let split = split_container(&container).unwrap();
            assert_eq!(split, (&*parts, [1, parts_len]));
        }
    }

    #[test]
    fn p7_an_entry_of_255_bytes_is_read_in_the_width_of_zvariant_as_well() {
        let parts = [7; 255];
        let of_zvariant = [&parts[..], &[9]].concat();
        assert_eq!(split_entry(&of_zvariant), Some((&parts[..], 9)));
        assert_eq!(split_container::<1>(&of_zvariant), None);
        let mut ours = parts.to_vec();
        end_container(&mut ours, 0, &[9]);
        assert_eq!(ours.len(), 257);
        assert_eq!(split_entry(&ours), Some((&parts[..], 9)));
    }

    #[test]
    fn p1_what_is_too_short_for_its_numbers_is_refused() {
        assert_eq!(split_container::<1>(b""), None);
        assert_eq!(split_container::<3>(b"\x01\x01"), None);
    }

    #[test]
    fn p1_a_text_ends_with_the_only_nul_that_it_has() {
        assert_eq!(text(b"text\0"), Some("text"));
        assert_eq!(text(b"\0"), Some(""));
        for bad in [&b""[..], b"text", b"te\0xt\0", b"text\0\0", b"\xff\0"] {
            assert_eq!(text(bad), None, "{bad:?}");
        }
    }
}
