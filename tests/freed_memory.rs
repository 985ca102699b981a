//! What is left of a token in memory that was given back: an allocator looks through each block before it is freed.
//!
//! Over the Rust interface and a store in memory. What the IPC, the webview and the key store's own library copy is not
//! ours to wipe, and not looked at.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tauri::test::{mock_builder, mock_context, noop_assets};
use tauri_plugin_secure_token::{
    Account, Builder, Record, SecureToken, SecureTokenExt, Token, store::memory::MemoryStore,
};

/// A token is many of these, so that each of its pieces and copies has one, at whatever place it was cut.
const UNIT: &[u8; 3] = b"K7q";

/// How the unit looks in a row: as it is, and in base64 (RFC 4648) wherever the row starts.
const TRACES: [&[u8; 12]; 4] = [
    b"K7qK7qK7qK7q",
    b"SzdxSzdxSzdx",
    b"N3FLN3FLN3FL",
    b"cUs3cUs3cUs3",
];

static LOOKING: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);
/// The sizes of the first blocks that had a trace of the token.
static SIZES: [AtomicUsize; 16] = [const { AtomicUsize::new(0) }; 16];

#[global_allocator]
static ALLOCATOR: memory::Looking = memory::Looking;

mod memory {
    use super::{GlobalAlloc, LOOKING, Layout, Ordering, System, look};

    /// The system's allocator, which looks at what it is given back.
    pub struct Looking;

    // SAFETY: memory comes from the system's allocator and goes back to it with the same layout. All of it is written
    // once before it is handed out, so that it may be read; it is read when its owner has given it up and nobody else
    // has it yet. `realloc` is the one of the trait, which gives the old block back through `dealloc`.
    unsafe impl GlobalAlloc for Looking {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            unsafe { System.alloc_zeroed(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            if LOOKING.load(Ordering::SeqCst) {
                look(unsafe { std::slice::from_raw_parts(block, layout.size()) });
            }
            unsafe { System.dealloc(block, layout) }
        }
    }
}

fn look(block: &[u8]) {
    let has = |trace: &[u8]| block.windows(trace.len()).any(|bytes| bytes == trace);
    if TRACES.iter().any(|trace| has(*trace)) {
        let number = FOUND.fetch_add(1, Ordering::SeqCst);
        if let Some(size) = SIZES.get(number) {
            size.store(block.len(), Ordering::SeqCst);
        }
    }
}

/// The sizes of the freed blocks in which something of the token was found while `work` ran.
fn traces_of(work: impl FnOnce()) -> Vec<usize> {
    FOUND.store(0, Ordering::SeqCst);
    LOOKING.store(true, Ordering::SeqCst);
    work();
    LOOKING.store(false, Ordering::SeqCst);
    let found = FOUND.load(Ordering::SeqCst).min(SIZES.len());
    SIZES[..found]
        .iter()
        .map(|size| size.load(Ordering::SeqCst))
        .collect()
}

fn token(units: usize, between: &str) -> Token {
    let row = String::from_utf8(UNIT.repeat(units)).unwrap();
    Token::new(format!("{row}{between}{row}")).unwrap()
}

/// One test, since all threads share the allocator.
#[test]
fn p4_no_freed_block_has_a_token_in_it() {
    let not_wiped = UNIT.repeat(10);
    let found = traces_of(|| drop(not_wiped));
    assert_eq!(found, [30], "a block that nobody wiped is found");

    let mut leaks = Vec::new();
    for max_len in [None, Some(100)] {
        for memory_copy in [false, true] {
            let store = max_len.map_or_else(MemoryStore::default, MemoryStore::with_max_len);
            let plugin = Builder::new()
                .store(Arc::new(store))
                .memory_copy(memory_copy)
                .prefetch([]);
            let mut context = mock_context(noop_assets());
            context.config_mut().identifier = "app.test".into();
            let app = mock_builder()
                .plugin(plugin.build())
                .build(context)
                .unwrap();
            // In JSON, two of them have escapes.
            for between in ["", "\"\\", "\n\u{1}\u{1f511}"] {
                for units in [5, 50, 500, 5_000] {
                    let mut record = Record::new(token(units, between));
                    record.refresh_token = Some(token(units, between));
                    let found = traces_of(|| write_read_and_clear(app.secure_token(), record));
                    if !found.is_empty() {
                        leaks.push(format!(
                            "{units} units around {between:?}, items of {max_len:?} bytes, memory copy: \
                             {memory_copy}: blocks of {found:?} bytes"
                        ));
                    }
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

fn write_read_and_clear(tokens: &SecureToken, record: Record) {
    let account = Account::default();
    tauri::async_runtime::block_on(async {
        tokens.set_token(&account, record, None).await.unwrap();
        let stored = tokens.get_token(&account).await.unwrap();
        assert!(stored.is_some());
        tokens.clear_token(&account, None).await.unwrap();
        assert!(tokens.get_token(&account).await.unwrap().is_none());
    });
}
