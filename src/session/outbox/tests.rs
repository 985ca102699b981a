use serde_json::Value;

use super::*;
use crate::store::{
    Item, Prompts,
    memory::{Fault, MemoryStore},
};

const LIMIT: Duration = Duration::from_secs(60);
const NEVER: u64 = Record::MAX_EXPIRES_AT;

fn outbox(store: &Arc<MemoryStore>) -> Outbox {
    Outbox::new(store.clone(), Processes::none(), LIMIT)
}

fn record(token: &str) -> Record {
    let mut record = Record::new(Token::new(token).unwrap());
    record.refresh_token = Some(Token::new(format!("refresh of {token}")).unwrap());
    record.expires_at = Some(1_767_226_500_000);
    record
}

fn account(name: &str) -> Account {
    Account::new(name).unwrap()
}

async fn add(outbox: &Outbox, token: &str) {
    let added = outbox.add(&Account::default(), record(token), NEVER).await;
    added.unwrap();
}

async fn tokens(outbox: &Outbox) -> Vec<String> {
    let entries = outbox.load().await.unwrap();
    let tokens = entries.iter().map(|entry| entry.record.token.expose());
    tokens.map(String::from).collect()
}

async fn stored(store: &MemoryStore) -> Option<Zeroizing<Vec<u8>>> {
    let item = Item::of(&Account::revokes());
    store.get(&item, &Prompts::default()).await.unwrap()
}

#[tokio::test]
async fn what_is_added_is_there_for_the_next_process_until_it_is_removed() {
    let store = Arc::new(MemoryStore::default());
    let one = outbox(&store);
    assert_eq!(one.load().await, Ok(Vec::new()));
    one.add(&account("ada@work"), record("first"), NEVER)
        .await
        .unwrap();
    add(&one, "second").await;

    let other = outbox(&store);
    let first = Entry {
        account: account("ada@work"),
        record: record("first"),
        until: NEVER,
    };
    assert_eq!(other.load().await.unwrap()[0], first);
    assert_eq!(tokens(&other).await, ["first", "second"]);
    other.remove(&record("first").token).await.unwrap();
    other.remove(&record("first").token).await.unwrap();
    assert_eq!(tokens(&one).await, ["second"]);
    one.remove(&record("second").token).await.unwrap();
    assert_eq!(stored(&store).await, None);
}

#[tokio::test]
async fn a_record_that_is_added_again_is_there_once() {
    let store = Arc::new(MemoryStore::default());
    let outbox = outbox(&store);
    for token in ["a", "b", "a"] {
        add(&outbox, token).await;
    }
    assert_eq!(tokens(&outbox).await, ["b", "a"]);
}

#[tokio::test]
async fn an_entry_is_given_up_when_its_time_has_passed() {
    let store = Arc::new(MemoryStore::default());
    let outbox = outbox(&store);
    let overdue = Entry {
        account: Account::default(),
        record: record("overdue"),
        until: 1,
    };
    let bytes = envelope::encode(&Record::new(encode(&[overdue]).unwrap())).unwrap();
    let item = Item::of(&Account::revokes());
    store.set(&item, &bytes, &Prompts::default()).await.unwrap();
    assert_eq!(outbox.load().await, Ok(Vec::new()));
    assert_eq!(stored(&store).await.as_ref(), Some(&bytes), "only read");
    add(&outbox, "next").await;
    outbox.remove(&record("next").token).await.unwrap();
    assert_eq!(stored(&store).await, None);
}

#[tokio::test]
async fn entries_that_are_added_at_once_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let process = || Processes::in_folder(folder.path().into());
    let store = Arc::new(MemoryStore::default());
    let alone = outbox(&store);
    let several = [(); 4].map(|()| Outbox::new(store.clone(), process(), LIMIT));
    for outboxes in [vec![alone], several.into()] {
        // So that all of them read before the first one writes, if nothing keeps them from it.
        store.inject(Fault::Slow(Duration::from_millis(1)));
        let adding = outboxes.iter().enumerate().flat_map(|(process, outbox)| {
            (0..20).map(move |number| {
                let outbox = outbox.clone();
                tokio::spawn(async move { add(&outbox, &format!("{process}.{number}")).await })
            })
        });
        for added in adding.collect::<Vec<_>>() {
            added.await.unwrap();
        }
        store.heal();
        let tokens = tokens(&outboxes[0]).await;
        assert_eq!(tokens.len(), outboxes.len() * 20);
        for token in tokens {
            outboxes[0].remove(&record(&token).token).await.unwrap();
        }
    }
}

#[tokio::test]
async fn p1_what_is_damaged_or_foreign_is_an_error_and_kept() {
    let text = encode(&[Entry {
        account: Account::default(),
        record: record("t"),
        until: NEVER,
    }])
    .unwrap();
    let mut expires = Record::new(text.clone());
    expires.expires_at = Some(1);
    let mut contents = vec![
        b"foreign".to_vec(),
        envelope::encode(&expires).unwrap().to_vec(),
    ];
    let text = text.expose();
    for text in [
        "a token",
        "secure-token.revokes.v2 x",
        "secure-token.revokes.v1",
        "secure-token.revokes.v1 ",
        "secure-token.revokes.v1 1.ZGVmYXVsdA.x",
        &text[..text.len() - 1],
        &text.replace("v1 ", "v1  "),
        &format!("{text} "),
    ] {
        let record = Record::new(Token::new(text).unwrap());
        contents.push(envelope::encode(&record).unwrap().to_vec());
    }
    for content in contents {
        let store = Arc::new(MemoryStore::default());
        let item = Item::of(&Account::revokes());
        let prompts = Prompts::default();
        store.set(&item, &content, &prompts).await.unwrap();
        let outbox = outbox(&store);
        for result in [
            outbox.load().await.map(drop),
            outbox.add(&Account::default(), record("t"), NEVER).await,
            outbox.remove(&record("t").token).await,
        ] {
            assert_eq!(result.unwrap_err().code(), ErrorCode::Corrupt);
        }
        assert_eq!(stored(&store).await.unwrap().as_slice(), content);
    }
}

#[tokio::test]
async fn p1_a_locked_store_fails_every_call_and_loses_nothing() {
    let store = Arc::new(MemoryStore::default());
    let outbox = outbox(&store);
    add(&outbox, "t").await;
    store.inject(Fault::Fails(ErrorCode::Locked));
    for result in [
        outbox.load().await.map(drop),
        outbox.add(&Account::default(), record("u"), NEVER).await,
        outbox.remove(&record("t").token).await,
    ] {
        assert_eq!(result.unwrap_err().code(), ErrorCode::Locked);
    }
    store.heal();
    assert_eq!(tokens(&outbox).await, ["t"]);
}

#[tokio::test]
async fn entries_that_are_too_long_together_are_refused_and_the_others_stay() {
    let store = Arc::new(MemoryStore::default());
    let outbox = outbox(&store);
    add(&outbox, "t").await;
    let long = Record::new(Token::new("x".repeat(Token::MAX_LEN)).unwrap());
    let added = outbox.add(&Account::default(), long, NEVER).await;
    assert_eq!(added.unwrap_err().code(), ErrorCode::TooLarge);
    assert_eq!(tokens(&outbox).await, ["t"]);
}

#[tokio::test]
async fn p5_nobody_else_can_name_or_list_the_outbox() {
    let store = Arc::new(MemoryStore::default());
    add(&outbox(&store), "t").await;
    let refused = Account::new(Account::revokes().as_str()).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidArgument);
    let vault = Vault::new(store, LIMIT, true);
    assert_eq!(vault.list().await, Ok(Vec::new()));
    vault
        .set(&Account::default(), record("t"), None)
        .await
        .unwrap();
    assert_eq!(vault.list().await, Ok(vec![Account::default()]));
}

#[test]
fn p7_the_name_and_the_form_are_frozen() {
    assert_eq!(Account::revokes().as_str(), "\u{e000}revokes");
    let fixture: Vec<Value> =
        serde_json::from_str(include_str!("../../../tests/fixtures/revokes.json")).unwrap();
    assert!(!fixture.is_empty());
    for case in fixture {
        let text = |value: &Value| value.as_str().map(|text| Token::new(text).unwrap());
        let entries = case["entries"].as_array().unwrap().iter();
        let entries: Vec<_> = entries
            .map(|entry| Entry {
                account: account(entry["account"].as_str().unwrap()),
                record: Record {
                    token: text(&entry["token"]).unwrap(),
                    refresh_token: text(&entry["refreshToken"]),
                    expires_at: entry["expiresAt"].as_u64(),
                },
                until: entry["until"].as_u64().unwrap(),
            })
            .collect();
        let stored = text(&case["stored"]).unwrap();
        assert_eq!(decode(&Record::new(stored.clone())).as_ref(), Ok(&entries));
        if case["current"].as_bool().unwrap() {
            assert_eq!(encode(&entries).unwrap(), stored);
        }
    }
}
