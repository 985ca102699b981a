//! How the head and the body of a request travel together over Tauri's IPC: the length of the head in four bytes, the
//! head as JSON, and the rest is the body.
//!
//! Android's IPC carries no bytes: there a frame is Base64 text, and so is its response.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::{Map, Value};
use tauri::ipc::{InvokeBody, Request, Response};

use super::args::Args;
use crate::error::{Error, Result};

/// How long a head may be, in bytes. A URL and all headers fit.
const MAX_HEAD: usize = 512 * 1024;

/// What a page sends.
pub(crate) struct Frame {
    head: Map<String, Value>,
    pub(crate) body: Bytes,
    form: Form,
}

/// The form in which a page has asked, and gets its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Bytes,
    Base64,
}

impl Frame {
    /// # Errors
    ///
    /// `invalid-argument`: it is no frame.
    pub(crate) fn of(request: &Request<'_>) -> Result<Self> {
        match request.body() {
            InvokeBody::Raw(bytes) => Self::parse(bytes, Form::Bytes),
            // What becomes of bytes where Tauri has to do without its scheme for the IPC.
            InvokeBody::Json(Value::Array(numbers)) => {
                let byte = |number: &Value| u8::try_from(number.as_u64()?).ok();
                let bytes: Option<Vec<_>> = numbers.iter().map(byte).collect();
                Self::parse(&bytes.ok_or_else(no_frame)?, Form::Bytes)
            }
            InvokeBody::Json(_) => {
                let args = Args::of(request, &["frame"])?;
                let text = args.text("frame")?.unwrap_or_default();
                let bytes = BASE64_STANDARD.decode(text);
                Self::parse(&bytes.map_err(|_| no_frame())?, Form::Base64)
            }
        }
    }

    fn parse(bytes: &[u8], form: Form) -> Result<Self> {
        let (len, rest) = bytes.split_first_chunk().ok_or_else(no_frame)?;
        let len = usize::try_from(u32::from_be_bytes(*len)).map_err(|_| no_frame())?;
        if len > MAX_HEAD {
            return Err(Error::invalid("the head of the frame is too long"));
        }
        let (head, body) = rest.split_at_checked(len).ok_or_else(no_frame)?;
        // The error of serde shows what it has read.
        let head = serde_json::from_slice(head).map_err(|_| no_frame())?;
        Ok(Self {
            head,
            body: Bytes::copy_from_slice(body),
            form,
        })
    }

    /// The head, all of whose fields must be among `known`.
    pub(crate) fn args(&self, known: &[&str]) -> Result<Args<'_>> {
        Args::in_map(&self.head, known)
    }

    /// A frame with `head` and `body`, in the form in which this one came.
    pub(crate) fn respond(&self, head: &Value, body: &[Bytes]) -> Result<Response> {
        let head = head.to_string();
        let too_long = |_| Error::internal("the head of a response is too long");
        let len = u32::try_from(head.len()).map_err(too_long)?;
        let body_len: usize = body.iter().map(Bytes::len).sum();
        let mut frame = Vec::with_capacity(4 + head.len() + body_len);
        frame.extend(len.to_be_bytes());
        frame.extend(head.as_bytes());
        for bytes in body {
            frame.extend_from_slice(bytes);
        }
        Ok(match self.form {
            Form::Bytes => Response::new(frame),
            Form::Base64 => Response::new(Value::from(BASE64_STANDARD.encode(frame)).to_string()),
        })
    }
}

fn no_frame() -> Error {
    Error::invalid(
        "the argument must be a frame: the length of a head of JSON, the head, and a body",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_frame_are_refused_without_being_shown() {
        let whole = [&4_u32.to_be_bytes()[..], b"{  }canary"].concat();
        assert_eq!(Frame::parse(&whole, Form::Bytes).unwrap().body, "canary");
        for bytes in [
            b"".as_slice(),
            b"\0\0\0",
            b"\0\0\0\x09canary",
            b"\xff\xff\xff\xffcanary",
            b"\0\0\0\x06canary",
            b"\0\0\0\x02[]",
            b"\0\0\0\x00",
        ] {
            let error = Frame::parse(bytes, Form::Bytes).err().unwrap();
            assert_eq!(error.code(), crate::ErrorCode::InvalidArgument);
            assert!(!error.message().contains("canary"));
        }
    }
}
