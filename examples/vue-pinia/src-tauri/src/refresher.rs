//! Buys the next tokens in Rust, so that no refresh is lost with the page that asked for it.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use tauri_plugin_secure_token::{Builder, Record, RefreshError, Token, Tokens};

/// What the API sends (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Renewed {
    access_token: String,
    refresh_token: String,
    expires_in: u64,
}

/// Why it sends nothing (RFC 6749, section 5.2).
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Lets Rust refresh, at the API with this address.
///
/// # Errors
///
/// No HTTP client can be made.
pub fn refresh_in_rust(plugin: Builder, api_url: &str) -> reqwest::Result<Builder> {
    // The API is on this computer.
    let client = Client::builder().no_proxy().build()?;
    let url = format!("{api_url}/token");
    Ok(plugin.refresh(move |_account, record| refresh(client.clone(), url.clone(), record)))
}

async fn refresh(client: Client, url: String, record: Record) -> Result<Tokens, RefreshError> {
    let Some(refresh_token) = record.refresh_token else {
        return Err(RefreshError::Ended);
    };
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token.expose()),
    ];
    let sent = client.post(url).form(&form).send().await;
    let response = sent.map_err(|_| RefreshError::failed())?;
    if !response.status().is_success() {
        return Err(why(response).await);
    }
    let renewed: Renewed = response.json().await.map_err(|_| RefreshError::failed())?;
    let token = |text| Token::new(text).map_err(|_| RefreshError::failed());
    let mut tokens = Tokens::new(token(renewed.access_token)?);
    tokens.refresh_token = Some(token(renewed.refresh_token)?);
    tokens.expires_in = Some(Duration::from_secs(renewed.expires_in));
    Ok(tokens)
}

async fn why(response: Response) -> RefreshError {
    let is_bad_request = response.status() == StatusCode::BAD_REQUEST;
    match response.json::<Refusal>().await {
        Ok(refusal) if is_bad_request && refusal.error == "invalid_grant" => RefreshError::Ended,
        _ => RefreshError::failed(),
    }
}
