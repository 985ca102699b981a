//! The scheme of media: `secure-token://localhost/<ticket>`.

use tauri::{
    Manager, Runtime, UriSchemeContext, UriSchemeResponder, Url, Webview,
    http::{Request, StatusCode},
};

use super::pages::Pages;
use crate::{
    handle::SecureToken,
    native::{PageRequests, media_response},
    task,
};

/// The scheme, and the name of its host on Windows and Android.
pub(crate) const SCHEME: &str = "secure-token";

/// The address of `ticket` in a page of this origin.
pub(super) fn address(page: &PageRequests, ticket: &str) -> String {
    if !cfg!(any(windows, target_os = "android")) {
        return format!("{SCHEME}://localhost/{ticket}");
    }
    // The schemes of a webview all begin alike.
    let origin = page.origin.get().and_then(Option::as_ref);
    let is_secure = origin.is_some_and(|origin| *origin == "https://tauri.localhost");
    let http = if is_secure { "https" } else { "http" };
    format!("{http}://{SCHEME}.localhost/{ticket}")
}

/// Whether `webview` may show `url` as its page. A medium is no page: Tauri would take it for one of the app.
pub(crate) fn may_navigate<R: Runtime>(_: &Webview<R>, url: &Url) -> bool {
    let is_host = |host: &str| host.strip_suffix(".localhost") == Some(SCHEME);
    url.scheme() != SCHEME && !url.host_str().is_some_and(is_host)
}

/// Responds to an element that asks for a medium. Who has no ticket of the page learns nothing.
#[expect(clippy::needless_pass_by_value, reason = "Tauri gives it so")]
pub(crate) fn respond<R: Runtime>(
    context: UriSchemeContext<'_, R>,
    request: Request<Vec<u8>>,
    responder: UriSchemeResponder,
) {
    let app = context.app_handle().clone();
    let label = context.webview_label().to_owned();
    task::spawn(async move {
        let page = app.state::<Pages>().requests_of(&label);
        let ticket = request.uri().path().trim_start_matches('/');
        let found = page.and_then(|page| Some((page.medium(ticket)?, page)));
        let response = match found {
            Some((medium, page)) => {
                let owner = app.state::<SecureToken>().sessions.of(&medium.account);
                page.show(&owner, &medium, request.method(), request.headers())
                    .await
            }
            None => media_response(StatusCode::NOT_FOUND),
        };
        responder.respond(response);
    });
}

#[cfg(test)]
mod tests {
    use tauri::test::mock_app;

    use super::*;

    #[test]
    fn p5_no_webview_shows_a_medium_as_its_page() {
        let app = mock_app();
        let window = tauri::WebviewWindowBuilder::new(&app, "main", tauri::WebviewUrl::default());
        let window = window.build().unwrap();
        for (url, expected) in [
            ("secure-token://localhost/t", false),
            ("SECURE-TOKEN:t", false),
            ("http://secure-token.localhost/t", false),
            ("https://Secure-Token.localhost/t", false),
            ("tauri://localhost/", true),
            ("http://tauri.localhost/", true),
        ] {
            assert_eq!(
                may_navigate(window.as_ref(), &url.parse().unwrap()),
                expected,
                "{url}"
            );
        }
    }
}
