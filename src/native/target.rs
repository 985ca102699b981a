//! Stand-in.

use tauri::Url;

use crate::error::{Error, ErrorCode, Result};

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Target {
    url: Url,
}

impl Target {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut url = Url::parse(text).map_err(|_| Error::invalid("the URL is not valid"))?;
        url.set_fragment(None);
        if url.scheme() != "https" && url.scheme() != "http" {
            return Err(Error::new(ErrorCode::Forbidden, "scheme"));
        }
        Ok(Self { url })
    }

    pub(crate) fn join(&self, location: &str) -> Result<Self> {
        match self.url.join(location) {
            Ok(url) => Self::parse(url.as_str()),
            Err(_) => Err(Error::invalid("the location of a redirect is not a URL")),
        }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn has_origin_of(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
    }
}
