//! How a keyring file is laid out: GNOME's keyring format, major version 1, with exactly one item.
//!
//! After the header comes `(uayutua(a{say}ay))` in GVariant, little-endian: the length of the salt, the
//! salt, the rounds of the key derivation, the time of the last change and how often the file was changed
//! (both of no interest here), and the items. An item has the MAC of each attribute, and its sealed bytes.
//! Those hold `(a{ss}sttay)`: the attributes, the label, the times at which the item was made and changed,
//! and the record.
//!
//! The form is frozen. What differs from it in any way is refused before a key is derived.

use zeroize::Zeroizing;

use super::gvariant::{aligned_to_8, end_container, split_container, split_entry, text};

/// What the key derivation is salted with.
pub(super) const SALT_LEN: usize = SALT_LEN_FIELD as usize;

/// The rounds of the key derivation: what oo7 writes, and demands at least.
pub(super) const ROUNDS: u32 = 100_000;

/// A block of AES, and the initialisation vector.
pub(super) const BLOCK_LEN: usize = 16;

/// An HMAC-SHA-256.
pub(super) const MAC_LEN: usize = 32;

/// The attributes of an item. Readers find them in any order.
const NAMES: [&str; 3] = ["service", "username", "xdg:content-type"];

/// The value of the last of them.
const CONTENT_TYPE: &str = "application/octet-stream";

const HEADER: &[u8] = b"GnomeKeyring\n\r\0\n\x01\0";

const SALT_LEN_FIELD: u32 = 32;

/// A file is never changed again: it is replaced.
const CHANGES: u32 = 1;

const SALT_END: usize = 4 + SALT_LEN;
const ROUNDS_END: usize = SALT_END + 4;
const ITEMS: usize = ROUNDS_END + 8 + 4;

/// More than all of a content that is neither service nor account nor record, and than the padding that
/// encryption adds.
const REST: usize = 256;

/// The outside of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File<'a> {
    pub(super) salt: &'a [u8; SALT_LEN],
    /// The MACs of the values of [`Content::attributes`].
    pub(super) attribute_macs: [&'a [u8; MAC_LEN]; 3],
    /// The encrypted content, its initialisation vector, and the MAC of both.
    pub(super) sealed: &'a [u8],
}

impl<'a> File<'a> {
    pub(super) fn encode(&self, now: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.sealed.len() + 2 * REST);
        bytes.extend_from_slice(HEADER);
        let start = bytes.len();
        bytes.extend_from_slice(&SALT_LEN_FIELD.to_le_bytes());
        bytes.extend_from_slice(self.salt);
        bytes.extend_from_slice(&ROUNDS.to_le_bytes());
        bytes.extend_from_slice(&now.to_le_bytes());
        bytes.extend_from_slice(&CHANGES.to_le_bytes());
        let item = bytes.len();
        write_dictionary(&mut bytes, self.attribute_macs.map(|mac| &mac[..]));
        let attributes_end = bytes.len() - item;
        bytes.extend_from_slice(self.sealed);
        end_container(&mut bytes, item, &[attributes_end]);
        let item_end = bytes.len() - item;
        end_container(&mut bytes, item, &[item_end]);
        end_container(&mut bytes, start, &[SALT_END]);
        bytes
    }

    /// `None` where `bytes` are anything else than a whole file with one item.
    pub(super) fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (fields, [salt_end]) = split_container(bytes.strip_prefix(HEADER)?)?;
        if salt_end != SALT_END
            || number(fields, 0)? != SALT_LEN_FIELD
            || number(fields, SALT_END)? != ROUNDS
        {
            return None;
        }
        let (item, [item_end]) = split_container(fields.get(ITEMS..)?)?;
        if item_end != item.len() {
            return None;
        }
        let (item, [attributes_end]) = split_container(item)?;
        let (attributes, sealed) = item.split_at_checked(attributes_end)?;
        let [service, username, content_type] = read_dictionary(attributes)?;
        let blocks_len = sealed.len().checked_sub(BLOCK_LEN + MAC_LEN)?;
        if blocks_len == 0 || !blocks_len.is_multiple_of(BLOCK_LEN) {
            return None;
        }
        Some(Self {
            salt: fields.get(4..SALT_END)?.try_into().ok()?,
            attribute_macs: [
                service.try_into().ok()?,
                username.try_into().ok()?,
                content_type.try_into().ok()?,
            ],
            sealed,
        })
    }
}

/// What is sealed in a file.
#[derive(PartialEq, Eq)]
pub(super) struct Content<'a> {
    pub(super) service: &'a str,
    pub(super) account: &'a str,
    pub(super) record: &'a [u8],
}

impl<'a> Content<'a> {
    /// The values of the attributes that the item is known by.
    pub(super) fn attributes(&self) -> [&'a str; 3] {
        [self.service, self.account, CONTENT_TYPE]
    }

    /// The bytes, with room behind them for the padding of one block, so that no copy of them is left in
    /// memory. `None` where a name has a NUL.
    pub(super) fn encode(&self, now: u64) -> Option<Zeroizing<Vec<u8>>> {
        if self.service.contains('\0') || self.account.contains('\0') {
            return None;
        }
        let names_len = self.service.len() + self.account.len();
        let capacity = 2 * names_len + self.record.len() + REST;
        let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
        let strings = self.attributes().map(|value| format!("{value}\0"));
        write_dictionary(&mut bytes, strings.each_ref().map(String::as_bytes));
        let attributes_end = bytes.len();
        let label = format!("{} ({})\0", self.service, self.account);
        bytes.extend_from_slice(label.as_bytes());
        let label_end = bytes.len();
        bytes.resize(aligned_to_8(label_end), 0);
        bytes.extend_from_slice(&now.to_le_bytes());
        bytes.extend_from_slice(&now.to_le_bytes());
        bytes.extend_from_slice(self.record);
        end_container(&mut bytes, 0, &[label_end, attributes_end]);
        Some(bytes)
    }

    /// `None` where `bytes` are anything else than the content of a file that was written here.
    pub(super) fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (fields, [label_end, attributes_end]) = split_container(bytes)?;
        let attributes = read_dictionary(fields.get(..attributes_end)?)?;
        let [service, account, content_type] = attributes.map(text);
        text(fields.get(attributes_end..label_end)?)?;
        let times = aligned_to_8(label_end);
        let is_padded_with_zeros = fields.get(label_end..times)?.iter().all(|byte| *byte == 0);
        if content_type? != CONTENT_TYPE || !is_padded_with_zeros {
            return None;
        }
        Some(Self {
            service: service?,
            account: account?,
            record: fields.get(times + 16..)?,
        })
    }
}

/// Writes a value for each of [`NAMES`].
fn write_dictionary(bytes: &mut Vec<u8>, values: [&[u8]; 3]) {
    let start = bytes.len();
    let mut ends = [0; 3];
    for ((name, value), end) in NAMES.into_iter().zip(values).zip(&mut ends) {
        let entry = bytes.len();
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
        let name_end = bytes.len() - entry;
        bytes.extend_from_slice(value);
        end_container(bytes, entry, &[name_end]);
        *end = bytes.len() - start;
    }
    end_container(bytes, start, &ends);
}

/// The values of exactly [`NAMES`], in the order of those.
fn read_dictionary(bytes: &[u8]) -> Option<[&[u8]; 3]> {
    let (entries, ends) = split_container::<3>(bytes)?;
    let mut values = [None; 3];
    let mut start = 0;
    for end in ends {
        let (entry, name_end) = split_entry(entries.get(start..end)?)?;
        let (name, value) = entry.split_at_checked(name_end)?;
        let name = text(name)?;
        let position = NAMES.into_iter().position(|known| known == name)?;
        values[position] = Some(value);
        start = end;
    }
    let [Some(service), Some(username), Some(content_type)] = values else {
        return None;
    };
    (start == entries.len()).then_some([service, username, content_type])
}

fn number(bytes: &[u8], position: usize) -> Option<u32> {
    let bytes = bytes.get(position..position + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}
