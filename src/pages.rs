//! The watches of the pages, which end with their page.

use std::sync::{Arc, Mutex};

use tauri::{Runtime, Webview};

use crate::{Error, ErrorCode, Notice, Result, Watch, sync::lock, vault::Vault};

/// How many watches one page may have. The npm package needs one per copy of itself.
const WATCHES_PER_PAGE: usize = 64;

struct PageWatch {
    webview: String,
    window: String,
    _watch: Watch,
}

/// The watches of every page that is open.
#[derive(Default, Clone)]
pub(crate) struct PageWatches(Arc<Mutex<Vec<PageWatch>>>);

impl PageWatches {
    /// Calls `deliver` after every change, for as long as `webview` shows the page that it shows now.
    /// It must not block.
    ///
    /// # Errors
    ///
    /// `too-large`: the page has as many watches as a page may have.
    pub(crate) fn start<R: Runtime>(
        &self,
        webview: &Webview<R>,
        vault: &Vault,
        deliver: impl Fn(&Notice) + Send + Sync + 'static,
    ) -> Result<()> {
        let (pages, page) = (self.clone(), webview.clone());
        let watch = vault.watch(move |notice| {
            if is_closed(&page) {
                pages.end_page(page.label());
            } else {
                deliver(notice);
            }
        });
        self.keep(webview, watch)
    }

    fn keep<R: Runtime>(&self, webview: &Webview<R>, watch: Watch) -> Result<()> {
        let mut watches = lock(&self.0);
        let of_page = watches
            .iter()
            .filter(|page| page.webview == webview.label());
        if of_page.count() >= WATCHES_PER_PAGE {
            return Err(Error::new(
                ErrorCode::TooLarge,
                format!(
                    "a page may have {WATCHES_PER_PAGE} watches; share one among its listeners"
                ),
            ));
        }
        watches.push(PageWatch {
            webview: webview.label().into(),
            window: webview.window().label().into(),
            _watch: watch,
        });
        Ok(())
    }

    /// Ends the watches of the page that the webview with this label showed.
    pub(crate) fn end_page(&self, webview: &str) {
        self.end(|page| page.webview == webview);
    }

    /// Ends the watches of all pages in the window with this label.
    pub(crate) fn end_window(&self, window: &str) {
        self.end(|page| page.window == window);
    }

    fn end(&self, ended: impl Fn(&PageWatch) -> bool) {
        let ended: Vec<_> = lock(&self.0).extract_if(.., |page| ended(page)).collect();
        // Dropped without the lock: the end of a channel runs code of the webview.
        drop(ended);
    }
}

/// Whether `webview` was closed while its window lives on: Tauri sends no event of that.
fn is_closed<R: Runtime>(webview: &Webview<R>) -> bool {
    let open = webview.window().webviews();
    open.iter().all(|other| other.label() != webview.label())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tauri::{
        App, WebviewUrl, WebviewWindowBuilder,
        test::{MockRuntime, mock_app},
    };

    use super::*;
    use crate::{Account, store::memory::MemoryStore};

    fn open(app: &App<MockRuntime>, label: &str) -> Webview<MockRuntime> {
        let window = WebviewWindowBuilder::new(app, label, WebviewUrl::default());
        window.build().unwrap().as_ref().clone()
    }

    #[test]
    fn a_page_that_reloads_or_closes_leaves_no_watch_behind() {
        let app = mock_app();
        let (main, other) = (open(&app, "main"), open(&app, "other"));
        let store = Arc::new(MemoryStore::default());
        let vault = Vault::new(store, Duration::from_secs(60), true);
        let pages = PageWatches::default();
        for webview in [&main, &main, &other] {
            pages.start(webview, &vault, |_| {}).unwrap();
        }
        assert_eq!(vault.watches(), 3);
        pages.end_page("main");
        assert_eq!(vault.watches(), 1);
        pages.end_window("other");
        assert_eq!(vault.watches(), 0);
    }

    #[tokio::test]
    async fn a_webview_that_closes_in_a_living_window_leaves_no_watch_behind() {
        let app = mock_app();
        let (main, other) = (open(&app, "main"), open(&app, "other"));
        let store = Arc::new(MemoryStore::default());
        let vault = Vault::new(store, Duration::from_secs(60), true);
        let pages = PageWatches::default();
        for webview in [&main, &other] {
            pages.start(webview, &vault, |_| {}).unwrap();
        }
        main.close().unwrap();
        vault.clear(&Account::default(), None).await.unwrap();
        assert_eq!(vault.watches(), 1);
    }

    #[test]
    fn a_page_cannot_have_any_number_of_watches() {
        let app = mock_app();
        let (main, other) = (open(&app, "main"), open(&app, "other"));
        let store = Arc::new(MemoryStore::default());
        let vault = Vault::new(store, Duration::from_secs(60), true);
        let pages = PageWatches::default();
        let kept = (0..20_000)
            .filter(|_| pages.start(&main, &vault, |_| {}).is_ok())
            .count();
        assert_eq!((kept, vault.watches()), (64, 64));
        let refused = pages.start(&main, &vault, |_| {}).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::TooLarge);
        assert_eq!(pages.start(&other, &vault, |_| {}), Ok(()));
    }
}
