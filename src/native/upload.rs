//! The body of a request, and how far it has gone.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::{sync::mpsc, time::Instant};

use crate::{
    error::{Error, ErrorCode, Result},
    sync::lock,
};

/// A body is handed to the connection in pieces of this size, so that its progress can be seen.
const PIECE: usize = 64 * 1024;

/// The body of a request.
pub(crate) enum Body {
    None,
    /// Can be sent again.
    Whole(Bytes),
    Stream(Upload),
}

/// A body that the page sends piece by piece.
pub(crate) struct Upload {
    pieces: mpsc::Receiver<Piece>,
    length: Option<u64>,
}

enum Piece {
    Bytes(Bytes),
    End,
}

/// The end at which the page puts pieces in.
pub(crate) struct Uploader {
    pieces: mpsc::Sender<Piece>,
    /// How much is still to come, if the page has said how long the body is.
    left: Option<u64>,
}

/// A body that is as long as `length`, if that is given.
pub(crate) fn upload(length: Option<u64>) -> (Uploader, Upload) {
    // One piece waits while another is sent.
    let (sender, receiver) = mpsc::channel(1);
    let uploader = Uploader {
        pieces: sender,
        left: length,
    };
    (
        uploader,
        Upload {
            pieces: receiver,
            length,
        },
    )
}

impl Uploader {
    /// Resolves when there is room for the next piece.
    ///
    /// # Errors
    ///
    /// `invalid-argument`: the body is not as long as the page has said. `unavailable`: nobody takes the body, since the
    /// request has ended.
    pub(super) async fn write(&mut self, bytes: Bytes, is_end: bool) -> Result<()> {
        if let Some(left) = &mut self.left {
            let rest = left.checked_sub(bytes.len() as u64);
            match rest {
                Some(rest) if !is_end || rest == 0 => *left = rest,
                _ => return Err(Error::invalid("the body is not as long as length says")),
            }
        }
        if !bytes.is_empty() {
            self.put(Piece::Bytes(bytes)).await?;
        }
        if is_end {
            let put = self.put(Piece::End).await;
            // Of a body whose length is known the connection does not wait for the end.
            if self.left.is_none() {
                return put;
            }
        }
        Ok(())
    }

    async fn put(&self, piece: Piece) -> Result<()> {
        let gone = || {
            Error::new(
                ErrorCode::Unavailable,
                "the server takes no more of the body",
            )
        };
        self.pieces.send(piece).await.map_err(|_| gone())
    }
}

/// When a request last got further.
#[derive(Clone)]
pub(super) struct Progress(Arc<Mutex<Instant>>);

impl Progress {
    pub(super) fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn made(&self) {
        *lock(&self.0) = Instant::now();
    }

    pub(super) fn last(&self) -> Instant {
        *lock(&self.0)
    }
}

impl Body {
    /// The same body once more, unless it is a stream.
    pub(super) fn again(&self) -> Option<Self> {
        match self {
            Self::None => Some(Self::None),
            Self::Whole(bytes) => Some(Self::Whole(bytes.clone())),
            Self::Stream(_) => None,
        }
    }

    /// The length of the body, if it is known and the client would not find it out.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Whole(bytes) => Some(bytes.len() as u64),
            Self::Stream(upload) => upload.length,
        }
    }

    /// The body as the client takes it.
    pub(super) fn into_client(self, progress: Progress) -> Option<reqwest::Body> {
        match self {
            Self::None => None,
            Self::Whole(bytes) if bytes.len() <= PIECE => Some(bytes.into()),
            Self::Whole(bytes) => {
                let pieces = stream::unfold(bytes, |mut rest| async move {
                    let piece = rest.split_to(rest.len().min(PIECE));
                    (!piece.is_empty()).then_some((Ok::<_, Error>(piece), rest))
                });
                Some(watched(pieces, progress))
            }
            Self::Stream(upload) => Some(watched(upload.into_pieces(), progress)),
        }
    }
}

fn watched(
    pieces: impl Stream<Item = Result<Bytes>> + Send + 'static,
    progress: Progress,
) -> reqwest::Body {
    reqwest::Body::wrap_stream(pieces.inspect(move |_| progress.made()))
}

impl Upload {
    fn into_pieces(self) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        stream::unfold(Some(self.pieces), |pieces| async move {
            let mut pieces = pieces?;
            match pieces.recv().await {
                Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(pieces))),
                Some(Piece::End) => None,
                // A body that looks whole to the server must be whole.
                None => {
                    let gone = Error::new(ErrorCode::Conflict, "the request was aborted");
                    Some((Err(gone), None))
                }
            }
        })
    }
}
