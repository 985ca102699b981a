//! Renews a record at the endpoint that the app named.

use std::sync::Arc;

use super::{endpoint::Endpoint, refusal::is_refused, token_fields::TokenFields};
use crate::{
    record::Record,
    session::{Refresh, Reply},
    token::Account,
};

/// What renews records by `endpoint`.
pub(super) fn refresh_by(endpoint: Endpoint, fields: TokenFields) -> Refresh {
    let named = Arc::new((endpoint, fields));
    Arc::new(move |account, record| {
        let named = named.clone();
        Box::pin(async move { refresh(&named.0, &named.1, &account, &record).await })
    })
}

async fn refresh(
    endpoint: &Endpoint,
    fields: &TokenFields,
    account: &Account,
    record: &Record,
) -> Reply {
    let response = match endpoint.post_tokens(record).await {
        Ok(Some(response)) => response,
        // The token has been refused or has expired, and there is nothing to renew it with.
        Ok(None) => return Reply::Ended,
        Err(error) => {
            log::warn!("the refresh of {account} failed: {error}");
            return Reply::failed();
        }
    };
    let status = response.status;
    if status.is_success()
        && let Some(mut body) = response.json()
    {
        match fields
            .take(&mut body)
            .map(super::token_fields::Taken::into_tokens)
        {
            Ok(Some(tokens)) => return Reply::Renewed(tokens),
            Ok(None) => {}
            Err(error) => log::error!("the refresh of {account} failed: {error}"),
        }
    }
    if is_refused(&response) {
        return Reply::Ended;
    }
    log::warn!("the refresh of {account} brought no token, with status {status}");
    Reply::Failed {
        retry_after: response.retry_after,
        // After a success nobody knows whether the refresh token was used.
        status: (!status.is_success()).then_some(status.as_u16()),
    }
}
