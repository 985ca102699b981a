//! Over the keychains of the Mac that runs this. Its login keychain has to be unlocked; the program of
//! the tests is not signed for the other one.

use super::*;
use crate::{
    error::ErrorCode,
    store::{Prompts, SecretStore},
};

fn service(name: &str) -> String {
    format!("app.secure-token.test.{}.{name}", std::process::id())
}

fn item(account: &str) -> Item {
    Item::of(&Account::new(account).unwrap())
}

async fn read(store: &impl SecretStore, item: &Item) -> Option<Vec<u8>> {
    let stored = store.get(item, &Prompts::default()).await.unwrap();
    stored.map(|bytes| bytes.to_vec())
}

#[tokio::test]
async fn the_login_keychain_keeps_what_was_written_last_until_it_is_cleared() {
    let prompts = Prompts::default();
    let store = open(&service("a"), MacosKeychain::Login);
    let other_service = open(&service("b"), MacosKeychain::Login);
    let (item, unicode) = (item("default"), item("\u{fc}ber/a@b"));
    assert_eq!(read(&store, &item).await, None);
    assert!(store.list(&prompts).await.unwrap().is_empty());

    other_service.set(&item, b"other", &prompts).await.unwrap();
    let long = vec![b'x'; 1024 * 1024];
    for bytes in [b"old".as_slice(), b"new", &long] {
        store.set(&item, bytes, &prompts).await.unwrap();
        assert_eq!(read(&store, &item).await.as_deref(), Some(bytes));
    }
    store.set(&unicode, b"named", &prompts).await.unwrap();
    let again = open(&service("a"), MacosKeychain::Login);
    assert_eq!(read(&again, &unicode).await.as_deref(), Some(&b"named"[..]));
    let listed: HashSet<_> = again.list(&prompts).await.unwrap().into_iter().collect();
    assert_eq!(listed, HashSet::from([item.clone(), unicode.clone()]));
    let info = again.info().await;
    assert_eq!(info.store, "macOS login keychain");
    assert_eq!(info.state, StoreState::Available);

    for item in [&item, &unicode, &item] {
        store.delete(item, &prompts).await.unwrap();
    }
    assert_eq!(read(&again, &item).await, None);
    assert!(again.list(&prompts).await.unwrap().is_empty());
    let kept = read(&other_service, &item).await;
    assert_eq!(kept.as_deref(), Some(&b"other"[..]));
    other_service.delete(&item, &prompts).await.unwrap();
}

#[tokio::test]
async fn p1_the_data_protection_keychain_tells_an_unsigned_program_what_it_lacks() {
    let prompts = Prompts::default();
    let store = open(&service("c"), MacosKeychain::DataProtection);
    let item = item("default");
    for result in [
        store.get(&item, &prompts).await.map(|_| ()),
        store.set(&item, b"token", &prompts).await,
        store.delete(&item, &prompts).await,
        store.list(&prompts).await.map(|_| ()),
    ] {
        assert_eq!(result.unwrap_err().code(), ErrorCode::Misconfigured);
    }
    let info = store.info().await;
    assert_eq!(info.state, StoreState::Unavailable);
    assert!(info.detail.contains("-34018"), "{}", info.detail);
}
