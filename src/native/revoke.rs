//! Revokes a record at the endpoint that the app named.

use std::sync::Arc;

use reqwest::StatusCode;

use super::endpoint::Endpoint;
use crate::{
    error::ErrorCode,
    record::Record,
    session::{Revoke, RevokeError},
};

/// What revokes records by `endpoint`.
pub(super) fn revoke_by(endpoint: Endpoint) -> Revoke {
    let endpoint = Arc::new(endpoint);
    Arc::new(move |_, record| {
        let endpoint = endpoint.clone();
        Box::pin(async move { revoke(&endpoint, &record).await })
    })
}

async fn revoke(endpoint: &Endpoint, record: &Record) -> Result<(), RevokeError> {
    let response = match endpoint.post_tokens(record).await {
        Ok(Some(response)) => response,
        // There is nothing that the server could revoke.
        Ok(None) => return Ok(()),
        Err(error) if error.code() == ErrorCode::InvalidArgument => {
            return Err(RevokeError::Refused);
        }
        Err(_) => return Err(RevokeError::Failed { retry_after: None }),
    };
    let status = response.status;
    let is_passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    if status.is_success() {
        Ok(())
    } else if status.is_client_error() && !is_passing {
        Err(RevokeError::Refused)
    } else {
        let retry_after = response.retry_after;
        Err(RevokeError::Failed { retry_after })
    }
}
