//! Whether a keyring file is laid out as those are that are written here.
//!
//! oo7 panics over a sealed item that is too short, and derives a key for as many rounds as a damaged
//! file asks for. So what is not a whole file with one item is refused before oo7 sees it.
//!
//! After the header comes `(uayuutua(a{say}ay))` in GVariant (GLib's GVariant specification, 1.0): the
//! salt with its size, the rounds, two numbers of no interest, and the items, each of which has its
//! attributes and its sealed bytes.

const HEADER: &[u8] = b"GnomeKeyring\n\r\0\n\x01\0";

const SALT_LEN: usize = 32;
const SALT_END: usize = 4 + SALT_LEN;
const ROUNDS_END: usize = SALT_END + 4;
const ITEMS: usize = ROUNDS_END + 8 + 4;

/// What oo7 writes.
const ROUNDS: u32 = 100_000;

/// A block of AES, the initialisation vector and the HMAC-SHA-256: nothing sealed is shorter.
const MIN_SEALED: usize = 16 + 16 + 32;

pub(super) fn is_one_sealed_item(file: &[u8]) -> bool {
    sealed_len(file).is_some_and(|length| length >= MIN_SEALED)
}

/// The length of the sealed bytes of the only item.
fn sealed_len(file: &[u8]) -> Option<usize> {
    let content = file.strip_prefix(HEADER)?;
    let (fields, salt_end) = split_offset(content)?;
    if salt_end != SALT_END
        || number(fields.get(..4)?)? != SALT_LEN
        || number(fields.get(SALT_END..ROUNDS_END)?)? != ROUNDS as usize
    {
        return None;
    }
    let (item, item_end) = split_offset(fields.get(ITEMS..)?)?;
    if item_end != item.len() {
        return None;
    }
    let (item, attributes_end) = split_offset(item)?;
    item.len().checked_sub(attributes_end)
}

/// GVariant says at the end of a container where a part of it ends, in as many bytes as the length of
/// the container needs.
fn split_offset(container: &[u8]) -> Option<(&[u8], usize)> {
    let width = match container.len() {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    let (parts, offset) = container.split_at_checked(container.len().checked_sub(width)?)?;
    Some((parts, number(offset)?))
}

fn number(little_endian: &[u8]) -> Option<usize> {
    let mut bytes = [0; 8];
    bytes
        .get_mut(..little_endian.len())?
        .copy_from_slice(little_endian);
    usize::try_from(u64::from_le_bytes(bytes)).ok()
}
