//! The form against oo7, with which version 0.1 wrote its files.

use oo7::{
    Secret,
    file::{Item, UnlockedItem, UnlockedKeyring},
    zbus::{block_on, zvariant},
};
use zvariant::serialized::Context;

use super::*;
use crate::store::linux::portal::{
    layout::{Content, File},
    seal::Key,
};

const NOW: u64 = 1_700_000_000;

fn read_by_oo7(path: &Path) -> UnlockedItem {
    let items = block_on(async {
        let keyring = UnlockedKeyring::load(path, Secret::blob(SECRET)).await?;
        keyring.items().await
    });
    let mut items = items.unwrap().into_iter();
    match (items.next(), items.next()) {
        (Some(Ok(Item::Unlocked(item))), None) => item,
        _ => panic!("not one item"),
    }
}

/// As version 0.1 wrote.
fn write_by_oo7(path: &Path, account: &str, record: &[u8]) {
    let written = block_on(async {
        let keyring = UnlockedKeyring::load(path, Secret::blob(SECRET)).await?;
        let label = format!("{SERVICE} ({account})");
        let attributes = [("service", SERVICE), ("username", account)];
        let record = Secret::blob(record);
        keyring
            .create_item(&label, &attributes, record, false)
            .await
    });
    written.unwrap();
}

fn assert_is(item: &UnlockedItem, content: &Content) {
    let attributes = item.attributes();
    assert_eq!(attributes.len(), 3);
    assert_eq!(attributes["service"], content.service);
    assert_eq!(attributes["username"], content.account);
    assert_eq!(attributes["xdg:content-type"], "application/octet-stream");
    assert_eq!(item.label(), format!("{SERVICE} ({})", content.account));
    assert_eq!(item.created().as_secs(), NOW);
    assert_eq!(item.secret(), Secret::blob(content.record));
}

#[test]
fn p7_oo7_reads_what_is_written_here() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.keyring");
    let key = Key::derive(&SECRET, &SALT);
    let long = ["x".repeat(244), "x".repeat(245), "ü".repeat(256)];
    let accounts = ["default", &long[0], &long[1], &long[2]];
    // The last ones are where the numbers of one container after the other get wider.
    let records = [
        1, 300, 65_000, 65_016, 65_032, 65_048, 65_064, 65_080, 65_096, 200_000,
    ];
    for (account, length) in accounts
        .into_iter()
        .map(|account| (account, 1_000))
        .chain(records.map(|length| ("default", length)))
    {
        let content = Content {
            service: SERVICE,
            account,
            record: &vec![b'r'; length],
        };
        let file = key.seal(&content, &SALT, NOW).unwrap();
        fs::write(&path, file).unwrap();
        assert_is(&read_by_oo7(&path), &content);
    }
}

#[test]
fn p7_what_oo7_wrote_is_read_here() {
    let folder = tempfile::tempdir().unwrap();
    let long = ["x".repeat(245), "ü".repeat(256)];
    for (account, length) in [
        ("default", 1),
        ("default", 65_000),
        ("default", 65_100),
        ("default", 300_000),
        // oo7 does not read this one itself: it frames an entry of 255 bytes wrongly.
        (&long[0], 300),
        (&long[1], 300),
    ] {
        let path = folder.path().join(format!("{length}-{}", account.len()));
        let record = vec![b'r'; length];
        write_by_oo7(&path, account, &record);
        let read = sealed_file::read(&path, SERVICE, &SECRET).unwrap().unwrap();
        assert_eq!(read.account.as_str(), account);
        assert_eq!(*read.bytes, record);
    }
}

/// Without the encryption, so that every length can be tried.
#[test]
#[expect(deprecated, reason = "the reader that counts is the one that oo7 has")]
fn p7_the_sealed_content_is_that_of_oo7_whatever_its_lengths() {
    let little_endian = Context::new_gvariant(zvariant::LE, 0);
    for account_len in 1..=Account::MAX_LEN {
        for record_len in [1, 7, 8, 100, 400, 64_500 + account_len] {
            let content = Content {
                service: SERVICE,
                account: &"a".repeat(account_len),
                record: &vec![b'r'; record_len],
            };
            let ours = content.encode(NOW).unwrap();
            let item = UnlockedItem::try_from(&ours[..]).unwrap();
            assert_is(&item, &content);
            let theirs = zvariant::to_bytes(little_endian, &item).unwrap();
            assert!(
                Content::decode(&theirs).unwrap() == content,
                "{account_len}"
            );
            assert!(Content::decode(&ours).unwrap() == content, "{account_len}");
        }
    }
}

#[test]
fn p4_the_content_is_padded_and_sealed_in_the_memory_that_it_was_written_to() {
    for account_len in 1..=Account::MAX_LEN {
        let content = Content {
            service: SERVICE,
            account: &"a".repeat(account_len),
            record: b"a record",
        };
        let bytes = content.encode(NOW).unwrap();
        assert!(bytes.capacity() - bytes.len() >= 16);
    }
}

#[test]
fn p1_a_name_with_a_nul_is_not_written() {
    let content = Content {
        service: "app\0other",
        account: "default",
        record: b"a record",
    };
    assert!(content.encode(NOW).is_none());
}

#[test]
fn p1_p6_a_file_over_which_oo7_panics_or_works_for_hours_is_refused_before_a_key_is_derived() {
    let content = Content {
        service: SERVICE,
        account: "default",
        record: b"a record",
    };
    let whole = Key::derive(&SECRET, &SALT).seal(&content, &SALT, NOW);
    let whole = whole.unwrap();
    let file = File::decode(&whole).unwrap();
    for sealed_len in [0, 8, 31, 32, 47, 48, 63, 65] {
        let sealed = &vec![0; sealed_len][..];
        let short = File { sealed, ..file }.encode(NOW);
        assert_eq!(File::decode(&short), None, "{sealed_len} bytes");
    }
    for rounds in [0, 1, 99_999, 100_001, u32::MAX] {
        let mut other = whole.clone();
        other[54..58].copy_from_slice(&rounds.to_le_bytes());
        assert_eq!(File::decode(&other), None, "{rounds} rounds");
    }
}
