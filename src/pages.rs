//! The watches of the pages, which end with their page.

use std::sync::{Arc, Mutex};

use tauri::{Runtime, Webview};

use crate::{Watch, sync::lock};

struct PageWatch {
    webview: String,
    window: String,
    _watch: Watch,
}

/// The watches of every page that is open.
#[derive(Default, Clone)]
pub(crate) struct PageWatches(Arc<Mutex<Vec<PageWatch>>>);

impl PageWatches {
    /// Keeps `watch` for as long as the page that `webview` shows now.
    pub(crate) fn keep<R: Runtime>(&self, webview: &Webview<R>, watch: Watch) {
        lock(&self.0).push(PageWatch {
            webview: webview.label().into(),
            window: webview.window().label().into(),
            _watch: watch,
        });
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tauri::{
        App, WebviewUrl, WebviewWindowBuilder,
        test::{MockRuntime, mock_app},
    };

    use super::*;
    use crate::{store::memory::MemoryStore, vault::Vault};

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
            pages.keep(webview, vault.watch(|_| {}));
        }
        assert_eq!(vault.watches(), 3);
        pages.end_page("main");
        assert_eq!(vault.watches(), 1);
        pages.end_window("other");
        assert_eq!(vault.watches(), 0);
    }
}
