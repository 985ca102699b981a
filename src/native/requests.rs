//! The requests of each page: named by the page, known to it alone, and ended with it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::{Either, select};
use tauri::http::HeaderValue;
use tokio::{
    sync::{Mutex as AsyncMutex, watch},
    time::timeout,
};

use super::{
    client::Client,
    download::Download,
    headers,
    media::Media,
    send::{Order, Reply, Sender},
    upload::Uploader,
};
use crate::{
    error::{Error, ErrorCode, Result},
    session::Owner,
    sync::lock,
};

/// How many bytes a page gets or gives in one call, at most.
pub(crate) const AT_ONCE: usize = 1024 * 1024;

/// A body that is known to be this short comes with its head: that saves the page a call.
const SHORT: usize = 64 * 1024;

/// For how long a head waits for a short body.
const SHORT_WAIT: Duration = Duration::from_millis(50);

/// How many ended requests a page's late calls are told from unknown ones by.
const REMEMBERED: usize = 256;

/// How long things of a request may take, and how many requests there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Until the head of a response is there, from when the last piece of the body went out.
    pub(crate) head: Duration,
    /// Until a body in which nothing comes any more is given up.
    pub(crate) idle: Duration,
    /// Until a piece of a body gives up that its request comes: the calls of a page overtake each other.
    pub(crate) arrival: Duration,
    /// Requests of one page at once.
    pub(crate) of_page: usize,
    /// Requests of all pages at once.
    pub(crate) of_app: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            arrival: Duration::from_secs(5),
            of_page: 64,
            of_app: 256,
        }
    }
}

/// What the requests of all pages have in common.
#[derive(Clone)]
pub(crate) struct Requests(Arc<Inner>);

struct Inner {
    sender: Sender,
    limits: Limits,
    open: AtomicUsize,
}

impl Requests {
    pub(crate) fn new(client: Client, limits: Limits) -> Self {
        Self(Arc::new(Inner {
            sender: Sender::new(client, limits.head),
            limits,
            open: AtomicUsize::new(0),
        }))
    }

    /// Counts one more request of a page that has `of_page`, if it may have one.
    ///
    /// A page may have as many as there is room for others beside it: so a window that takes all it can always leaves
    /// some for the next.
    fn count(&self, of_page: usize) -> bool {
        let Limits {
            of_page: most,
            of_app,
            ..
        } = self.0.limits;
        let one_more = |open: usize| {
            let room = of_app.saturating_sub(open);
            (of_page < most.min(room)).then_some(open + 1)
        };
        let open = &self.0.open;
        open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .is_ok()
    }

    /// How many requests are open.
    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        self.0.open.load(Ordering::Relaxed)
    }
}

/// The requests of one page.
pub(crate) struct PageRequests {
    all: Requests,
    open: Mutex<Open>,
    /// Ticks when a request opens.
    opened: watch::Sender<()>,
    pub(super) media: Media,
    /// The origin of the page, once somebody has asked for it.
    pub(crate) origin: OnceLock<Option<HeaderValue>>,
}

#[derive(Default)]
struct Open {
    by_id: HashMap<u64, Arc<Request>>,
    ended: VecDeque<u64>,
    is_over: bool,
}

/// One request that is open.
struct Request {
    /// Why it ends, once it does.
    end: watch::Sender<Option<Error>>,
    uploader: AsyncMutex<Option<Uploader>>,
    download: AsyncMutex<Option<Download>>,
    all: Requests,
}

impl Drop for Request {
    fn drop(&mut self) {
        self.all.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Request {
    /// `work`, unless the request ends before.
    async fn unless_ended<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut end = self.end.subscribe();
        let ended = async {
            match end.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(reason)) => reason.clone(),
                _ => aborted(),
            }
        };
        match select(std::pin::pin!(ended), std::pin::pin!(work)).await {
            Either::Left((reason, _)) => Err(reason),
            Either::Right((result, _)) => result,
        }
    }
}

/// The response to a request, as a page sees it.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) status_text: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) url: String,
    pub(crate) is_redirected: bool,
    /// A redirect that the page wants to have itself, of which it gets to see nothing.
    pub(crate) is_opaque: bool,
    pub(crate) body: Rest,
    /// The first bytes of the body.
    pub(crate) first: Vec<Bytes>,
}

/// What a page has to expect of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    None,
    /// It came with the head.
    Whole,
    More,
}

impl Rest {
    /// As JavaScript spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Whole => "whole",
            Self::More => "more",
        }
    }
}

/// A request that ends when this is dropped, unless it is to stay open.
pub(super) struct Opening<'a> {
    page: &'a PageRequests,
    id: u64,
    request: Arc<Request>,
    stays: bool,
}

impl<'a> Opening<'a> {
    /// Opens the request `id` of `page`.
    ///
    /// # Errors
    ///
    /// - `invalid-argument`: the page has a request with this id;
    /// - `unavailable`: there are too many at once;
    /// - `conflict`: the page has ended.
    pub(super) fn begin(
        page: &'a PageRequests,
        id: u64,
        uploader: Option<Uploader>,
    ) -> Result<Self> {
        Ok(Self {
            page,
            id,
            request: page.begin(id, uploader)?,
            stays: false,
        })
    }

    /// `work`, unless the request ends before.
    pub(super) async fn unless_ended<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.request.unless_ended(work).await
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        if !self.stays {
            self.page.abort(self.id);
        }
    }
}

impl PageRequests {
    pub(crate) fn new(all: Requests) -> Self {
        Self {
            all,
            open: Mutex::default(),
            opened: watch::Sender::default(),
            media: Media::default(),
            origin: OnceLock::new(),
        }
    }

    /// Sends `order` as the request `id`, whose body the page puts into `uploader`. It stays open while there is more of
    /// the response.
    ///
    /// # Errors
    ///
    /// - `invalid-argument`: the page has a request with this id;
    /// - `unavailable`: there are too many at once;
    /// - `conflict`: it was aborted, or the page has ended;
    /// - those of [`Sender::send`], and of the body.
    pub(crate) async fn fetch(
        &self,
        id: u64,
        owner: &Arc<Owner>,
        order: Order,
        uploader: Option<Uploader>,
    ) -> Result<Response> {
        let mut opening = Opening::begin(self, id, uploader)?;
        let Inner { sender, limits, .. } = &*self.all.0;
        let reply = opening.unless_ended(sender.send(owner, order)).await?;
        let mut response = response(&reply)?;
        let Some(body) = reply.response.filter(|_| reply.has_body) else {
            return Ok(response);
        };
        let mut download = Download::new(body, reply.echo, limits.idle);
        let is_short = download.announced().is_some_and(|len| len <= SHORT as u64);
        let wait = async {
            if is_short {
                download.read_ahead(SHORT, SHORT_WAIT).await?;
            }
            download.take_what_is_there(SHORT)
        };
        opening.unless_ended(wait).await?;
        response.first = download.take(AT_ONCE);
        response.body = if download.has_ended() {
            Rest::Whole
        } else {
            *opening.request.download.lock().await = Some(download);
            opening.stays = true;
            Rest::More
        };
        Ok(response)
    }

    /// The next bytes of the body of `id`, and whether it has ended with them.
    ///
    /// # Errors
    ///
    /// - `invalid-argument`: the page has no such request, or its head has not come yet;
    /// - `conflict`: it was aborted;
    /// - those of [`Download::read`]. The request has ended then.
    pub(crate) async fn read(&self, id: u64) -> Result<(Vec<Bytes>, bool)> {
        let request = lock(&self.open).by_id.get(&id).cloned();
        let request = request.ok_or_else(unknown)?;
        let read = async {
            let mut download = request.download.lock().await;
            let Some(download) = &mut *download else {
                return Err(Error::invalid("the response has not come yet"));
            };
            let bytes = download.read(AT_ONCE).await;
            let has_ended = bytes.is_err() || download.has_ended();
            if has_ended {
                self.remove(id);
            }
            bytes.map(|bytes| (bytes, has_ended))
        };
        request.unless_ended(read).await
    }

    /// Puts the next piece into the body of `id`. Resolves when there is room for another.
    ///
    /// # Errors
    ///
    /// - `invalid-argument`: the page has no such request, or it takes no body, or the body is not as long as the page has
    ///   said: then the request has ended;
    /// - `conflict`: it was aborted;
    /// - `unavailable`: the server takes no more.
    pub(crate) async fn write(&self, id: u64, bytes: Bytes, is_end: bool) -> Result<()> {
        let request = self.arrived(id).await?;
        let write = async {
            let mut uploader = request.uploader.lock().await;
            let Some(pieces) = &mut *uploader else {
                return Err(Error::invalid("the request takes no more of a body"));
            };
            let written = pieces.write(bytes, is_end).await;
            if is_end || written.is_err() {
                *uploader = None;
            }
            written
        };
        let written = request.unless_ended(write).await;
        if let Err(error) = &written
            && error.code() == ErrorCode::InvalidArgument
        {
            self.end(id, error);
        }
        written
    }

    /// What sends a request, and for how long a body may rest.
    pub(super) fn sender(&self) -> (&Sender, Duration) {
        let Inner { sender, limits, .. } = &*self.all.0;
        (sender, limits.idle)
    }

    /// Ends the request `id`, if it is open.
    pub(crate) fn abort(&self, id: u64) {
        self.end(id, &aborted());
    }

    /// Ends all requests: the page is gone.
    pub(crate) fn end_all(&self) {
        self.media.end_all();
        let ended = {
            let mut open = lock(&self.open);
            open.is_over = true;
            std::mem::take(&mut open.by_id)
        };
        for request in ended.values() {
            request.end.send_replace(Some(aborted()));
        }
    }

    fn begin(&self, id: u64, uploader: Option<Uploader>) -> Result<Arc<Request>> {
        let mut open = lock(&self.open);
        if open.is_over {
            return Err(aborted());
        }
        if open.by_id.contains_key(&id) {
            return Err(Error::invalid(
                "the page has a request with this id already",
            ));
        }
        if !self.all.count(open.by_id.len()) {
            let message = "there are too many requests at once; wait until one has ended";
            return Err(Error::new(ErrorCode::Unavailable, message));
        }
        let request = Arc::new(Request {
            end: watch::Sender::default(),
            uploader: AsyncMutex::new(uploader),
            download: AsyncMutex::default(),
            all: self.all.clone(),
        });
        open.by_id.insert(id, request.clone());
        drop(open);
        self.opened.send_replace(());
        Ok(request)
    }

    /// The request `id`, which the page may have asked for only just now.
    async fn arrived(&self, id: u64) -> Result<Arc<Request>> {
        let mut opened = self.opened.subscribe();
        let arrived = async {
            loop {
                opened.mark_unchanged();
                {
                    let open = lock(&self.open);
                    if let Some(request) = open.by_id.get(&id) {
                        return Some(request.clone());
                    }
                    if open.ended.contains(&id) || open.is_over {
                        return None;
                    }
                }
                opened.changed().await.ok()?;
            }
        };
        let arrived = timeout(self.all.0.limits.arrival, arrived).await;
        arrived.ok().flatten().ok_or_else(unknown)
    }

    fn end(&self, id: u64, reason: &Error) {
        if let Some(request) = self.remove(id) {
            request.end.send_replace(Some(reason.clone()));
        }
    }

    fn remove(&self, id: u64) -> Option<Arc<Request>> {
        let mut open = lock(&self.open);
        let request = open.by_id.remove(&id)?;
        if open.ended.len() == REMEMBERED {
            open.ended.pop_front();
        }
        open.ended.push_back(id);
        Some(request)
    }
}

fn response(reply: &Reply) -> Result<Response> {
    let head = reply.response.as_ref();
    let headers = match head {
        Some(head) => headers::for_page(head.headers())?,
        None => Vec::new(),
    };
    Ok(Response {
        status: head.map_or(0, |head| head.status().as_u16()),
        status_text: reply.status_text().into(),
        headers: headers
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect(),
        url: reply.url.url().as_str().into(),
        is_redirected: reply.is_redirected,
        is_opaque: head.is_none(),
        body: Rest::None,
        first: Vec::new(),
    })
}

fn unknown() -> Error {
    Error::invalid("this page has no such request")
}

fn aborted() -> Error {
    Error::new(ErrorCode::Conflict, "the request was aborted")
}
