//! What a page has of the plugin, which ends with the page: its watches, its views of sessions and, with
//! those, its leases.

use std::sync::{Arc, Mutex};

use tauri::{Runtime, Webview};

#[cfg(feature = "native")]
use crate::native::{PageRequests, Requests};
use crate::{
    error::{Error, ErrorCode, Result},
    session::PageId,
    sync::lock,
    vault::{Notice, Vault, Watch},
};

/// How many watches and views one page may have together. The npm package needs one of each per copy of
/// itself and account.
const PER_PAGE: usize = 64;

/// A watch or a view, which ends when this is dropped.
type Held = Box<dyn std::any::Any + Send>;

struct OfPage {
    page: PageId,
    webview: String,
    window: String,
    #[cfg_attr(
        not(feature = "native"),
        expect(dead_code, reason = "what it has ends when this is dropped")
    )]
    held: Held,
}

/// Ends the requests of a page with it, also those that a call is still at.
#[cfg(feature = "native")]
struct EndsRequests {
    requests: Arc<PageRequests>,
    is_closed: Arc<dyn Fn() -> bool + Send + Sync>,
}

#[cfg(feature = "native")]
impl Drop for EndsRequests {
    fn drop(&mut self) {
        self.requests.end_all();
    }
}

/// What every page has that is open.
#[derive(Default, Clone)]
pub(crate) struct Pages(Arc<Mutex<Open>>);

#[derive(Default)]
struct Open {
    held: Vec<OfPage>,
    /// How many pages there have been.
    pages: u64,
}

impl Open {
    fn of<'a>(&'a self, webview: &'a str) -> impl Iterator<Item = &'a OfPage> {
        self.held.iter().filter(move |page| page.webview == webview)
    }

    #[cfg(feature = "native")]
    fn requests_of(&self, webview: &str) -> Option<Arc<PageRequests>> {
        let mut held = self.of(webview).map(|page| &page.held);
        held.find_map(|held| Some(held.downcast_ref::<EndsRequests>()?.requests.clone()))
    }

    /// The page that the webview shows, which gets a name with the first thing that it has.
    fn page(&mut self, webview: &str) -> PageId {
        if let Some(page) = self.of(webview).next() {
            return page.page.clone();
        }
        self.pages += 1;
        format!("{webview}, page {}", self.pages).into()
    }
}

impl Pages {
    /// Calls `deliver` after every change of the vault, for as long as `webview` shows the page that it
    /// shows now. It must not block.
    ///
    /// # Errors
    ///
    /// `too-large`: the page has as many watches and views as a page may have.
    pub(crate) fn watch<R: Runtime>(
        &self,
        webview: &Webview<R>,
        vault: &Vault,
        deliver: impl Fn(&Notice) + Send + Sync + 'static,
    ) -> Result<()> {
        self.keep(webview, |_, ends| -> Watch {
            vault.watch(move |notice| {
                if !ends.if_closed() {
                    deliver(notice);
                }
            })
        })
    }

    /// Keeps what `start` returns until `webview` shows another page.
    ///
    /// # Errors
    ///
    /// `too-large`: the page has as many watches and views as a page may have. Nothing was started.
    pub(crate) fn keep<R: Runtime, T: Send + 'static>(
        &self,
        webview: &Webview<R>,
        start: impl FnOnce(PageId, PageEnd<R>) -> T,
    ) -> Result<()> {
        let mut open = lock(&self.0);
        if open.of(webview.label()).count() >= PER_PAGE {
            return Err(Error::new(
                ErrorCode::TooLarge,
                format!(
                    "a page may have {PER_PAGE} watches and views; share one among its listeners"
                ),
            ));
        }
        let page = open.page(webview.label());
        drop(open);
        // Started without the lock: a view that opens may end another.
        let end = PageEnd {
            pages: self.clone(),
            webview: webview.clone(),
        };
        let held = Box::new(start(page.clone(), end));
        lock(&self.0).held.push(OfPage {
            page,
            webview: webview.label().into(),
            window: webview.window().label().into(),
            held,
        });
        Ok(())
    }

    /// The requests of the page that `webview` shows now, which end with it. They do not count as a watch or view.
    #[cfg(feature = "native")]
    pub(crate) fn requests<R: Runtime>(
        &self,
        webview: &Webview<R>,
        all: &Requests,
    ) -> Arc<PageRequests> {
        let label = webview.label();
        if let Some(requests) = self.requests_of(label) {
            return requests;
        }
        self.end_closed();
        let window = webview.window();
        let mut open = lock(&self.0);
        if let Some(requests) = open.requests_of(label) {
            return requests;
        }
        let requests = Arc::new(PageRequests::new(all.clone()));
        let page = open.page(label);
        open.held.push(OfPage {
            page,
            webview: label.into(),
            window: window.label().into(),
            held: Box::new(EndsRequests {
                requests: requests.clone(),
                is_closed: {
                    let webview = webview.clone();
                    Arc::new(move || is_closed(&webview))
                },
            }),
        });
        requests
    }

    /// Ends the pages with requests whose webviews were closed while their windows live on. Tauri sends no event of
    /// that, so it is looked at whenever another page begins.
    #[cfg(feature = "native")]
    fn end_closed(&self) {
        let with_requests: Vec<_> = {
            let open = lock(&self.0);
            let of = |page: &OfPage| {
                let ends = page.held.downcast_ref::<EndsRequests>()?;
                Some((page.webview.clone(), ends.is_closed.clone()))
            };
            open.held.iter().filter_map(of).collect()
        };
        // Asked without the lock: it is Tauri's to answer.
        for (webview, is_closed) in with_requests {
            if is_closed() {
                self.end_page(&webview);
            }
        }
    }

    /// The requests of the page that the webview with this label shows now, if it has had any.
    #[cfg(feature = "native")]
    pub(crate) fn requests_of(&self, webview: &str) -> Option<Arc<PageRequests>> {
        lock(&self.0).requests_of(webview)
    }

    /// The page that `webview` shows now, if it has anything here.
    pub(crate) fn page<R: Runtime>(&self, webview: &Webview<R>) -> Option<PageId> {
        let open = lock(&self.0);
        let page = open.of(webview.label()).next()?;
        Some(page.page.clone())
    }

    /// Ends what the page had that the webview with this label showed.
    pub(crate) fn end_page(&self, webview: &str) {
        self.end(|page| page.webview == webview);
    }

    /// Ends what all pages had in the window with this label.
    pub(crate) fn end_window(&self, window: &str) {
        self.end(|page| page.window == window);
    }

    fn end(&self, ended: impl Fn(&OfPage) -> bool) {
        let ended: Vec<_> = lock(&self.0)
            .held
            .extract_if(.., |page| ended(page))
            .collect();
        // Dropped without the lock: the end of a channel runs code of the webview.
        drop(ended);
    }
}

/// Notices the end of a page that Tauri sends no event of.
pub(crate) struct PageEnd<R: Runtime> {
    pages: Pages,
    webview: Webview<R>,
}

impl<R: Runtime> PageEnd<R> {
    /// Ends what the page had if its webview was closed while its window lives on. Returns whether it was.
    pub(crate) fn if_closed(&self) -> bool {
        let is_closed = is_closed(&self.webview);
        if is_closed {
            self.pages.end_page(self.webview.label());
        }
        is_closed
    }
}

/// Whether `webview` was closed while its window lives on.
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
    use crate::{store::memory::MemoryStore, token::Account};

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
        let pages = Pages::default();
        for webview in [&main, &main, &other] {
            pages.watch(webview, &vault, |_| {}).unwrap();
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
        let pages = Pages::default();
        for webview in [&main, &other] {
            pages.watch(webview, &vault, |_| {}).unwrap();
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
        let pages = Pages::default();
        let kept = (0..20_000)
            .filter(|_| pages.watch(&main, &vault, |_| {}).is_ok())
            .count();
        assert_eq!((kept, vault.watches()), (64, 64));
        let refused = pages.watch(&main, &vault, |_| {}).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::TooLarge);
        assert_eq!(pages.watch(&other, &vault, |_| {}), Ok(()));
    }

    #[cfg(feature = "native")]
    #[test]
    fn requests_are_of_one_page_and_end_with_it_also_if_only_its_webview_closes() {
        use crate::native::{Client, Limits};

        let app = mock_app();
        let (main, other) = (open(&app, "main"), open(&app, "other"));
        let (pages, all) = (
            Pages::default(),
            Requests::new(Client::of_platform(), Limits::default()),
        );
        let of_main = pages.requests(&main, &all);
        assert!(Arc::ptr_eq(&of_main, &pages.requests(&main, &all)));
        assert!(pages.page(&main).is_some());
        pages.end_page("main");
        assert!(pages.requests_of("main").is_none());
        assert!(!Arc::ptr_eq(&of_main, &pages.requests(&main, &all)));
        main.close().unwrap();
        pages.requests(&other, &all);
        assert!(pages.requests_of("main").is_none());
        pages.end_window("other");
        assert!(pages.requests_of("other").is_none());
    }
}
