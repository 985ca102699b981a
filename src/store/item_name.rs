//! How an item is named where the store keeps one flat list of names.
//!
//! `ACCOUNT`, or `ACCOUNT/GENERATION.INDEX` for a piece of a long record. In ACCOUNT every byte but
//! a-z, 0-9, `.`, `_` and `-` is written as `%` and two hexadecimal digits: so names cannot collide,
//! also where the store takes no notice of case. GENERATION has 16 hexadecimal digits.

use super::{Chunk, Item};
use crate::token::Account;

/// The name of `item`.
pub(super) fn write(item: &Item) -> String {
    let account = item.account.as_str().bytes().map(|byte| match byte {
        b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => char::from(byte).to_string(),
        _ => format!("%{byte:02x}"),
    });
    let chunk = item
        .chunk
        .map(|Chunk { generation, index }| format!("/{generation:016x}.{index}"));
    account.chain(chunk).collect()
}

/// The item that is named so; `None` where the name is not one of ours.
pub(super) fn read(text: &str) -> Option<Item> {
    let (account, chunk) = match text.split_once('/') {
        Some((account, chunk)) => {
            let (generation, index) = chunk.split_once('.')?;
            let chunk = Chunk {
                generation: u64::from_str_radix(generation, 16).ok()?,
                index: index.parse().ok()?,
            };
            (account, Some(chunk))
        }
        None => (text, None),
    };
    let mut bytes = Vec::new();
    let mut rest = account;
    while let Some((plain, escaped)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        let (digits, after) = escaped.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    let account = Account::at_rest(String::from_utf8(bytes).ok()?).ok()?;
    let item = Item { account, chunk };
    (write(&item) == text).then_some(item)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(account: &str) -> Item {
        Item::of(&Account::new(account).unwrap())
    }

    #[test]
    fn p7_names_are_frozen() {
        let mut piece = item("default");
        piece.chunk = Some(Chunk {
            generation: 26,
            index: 3,
        });
        for (item, name) in [
            (item("default"), "default"),
            (item("Work-1@a/b"), "%57ork-1%40a%2fb"),
            (item("\u{fc}"), "%c3%bc"),
            (Item::of(&Account::revokes()), "%ee%80%80revokes"),
            (piece, "default/000000000000001a.3"),
        ] {
            assert_eq!(write(&item), name);
            assert_eq!(read(name), Some(item));
        }
    }

    #[test]
    fn names_that_are_not_ours_are_not_read() {
        for name in [
            "", "Default", "%", "%4", "%zz", "%61", "a/b", "a/0.0", "%ff", "%0a", "a\u{e9}%",
        ] {
            assert_eq!(read(name), None, "{name}");
        }
    }
}
