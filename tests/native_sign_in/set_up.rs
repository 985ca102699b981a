//! What keeps an app from starting.

use tauri_plugin_secure_token::{
    Builder, Error, LoginError, Native, Post, RefreshError, RevokeError, SignedIn,
};

use crate::app::{build, login, plugin, refresh, revoke};

fn error(plugin: Builder) -> String {
    build(plugin).map(|_| ()).unwrap_err().to_string()
}

fn example() -> Native {
    Native::to("https://api.example.com")
}

async fn nobody(
    _: tauri_plugin_secure_token::Account,
    _: serde_json::Value,
) -> Result<SignedIn, LoginError> {
    Err(Error::new(tauri_plugin_secure_token::ErrorCode::Internal, "nobody").into())
}

#[test]
fn an_origin_is_https_or_on_this_machine() {
    for origin in [
        "https://api.example.com",
        "https://api.example.com/",
        "https://api.example.com:8443",
        "https://[2001:db8::1]",
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://127.1.2.3:5",
        "http://[::1]:8080",
    ] {
        assert!(
            build(plugin().native(Native::to(origin).login(login()))).is_ok(),
            "{origin}"
        );
    }
    for origin in [
        "",
        "api.example.com",
        "http://api.example.com",
        "http://10.0.2.2",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://[::2]",
        "ftp://localhost",
        "file:///etc",
        "tauri://localhost",
        "data:text/plain,x",
        "https://api.example.com/v1",
        "https://api.example.com/?a",
        "https://api.example.com/#a",
        "https://user@api.example.com",
        "https://user:password@api.example.com",
        "https://",
    ] {
        let error = error(plugin().native(Native::to(origin)));
        assert!(
            error.contains("misconfigured") && error.contains("Native::to"),
            "{origin}: {error}"
        );
    }
}

#[test]
fn a_path_stays_on_the_server() {
    for path in ["/", "/a", "/a/b?c=d&e", "/a//b", "/a:b@c"] {
        let native = example().login(Post::to(path).token("/token"));
        assert!(build(plugin().native(native)).is_ok(), "{path}");
    }
    for path in [
        "",
        "login",
        "//evil.example.com/login",
        "/\\evil.example.com",
        "\\\\evil.example.com",
        "/\t/evil.example.com",
        "https://evil.example.com/login",
        "@evil.example.com",
        ":8080/login",
        "/login#a",
        "/a\nb",
    ] {
        let error = error(plugin().native(example().login(Post::to(path).token("/token"))));
        assert!(
            error.contains("misconfigured") && error.contains("the login of Native"),
            "{path}: {error}"
        );
    }
}

#[test]
fn requests_that_cannot_work_are_named() {
    let of = |native: Native| error(plugin().native(native));
    let post = || Post::to("/x").token("/token");
    for (error, part) in [
        (of(example().login(Post::to("/x"))), "the login of Native"),
        (
            of(example().login(Post::to("/x").token("token"))),
            "the login of Native",
        ),
        (
            of(example().login(post().refresh_token("/token"))),
            "same place",
        ),
        (of(example().login(post().expires_in("e"))), "JSON pointer"),
        (of(example().login(post().cut("/~"))), "JSON pointer"),
        (
            of(example().login(post().send_refresh_token("/r"))),
            "before a login",
        ),
        (of(example().login(post().send_bearer())), "before a login"),
        (
            of(example().login(post().send("", 1))),
            "field of the request",
        ),
        (of(example().login(post().send("a", 1))), "JSON pointer"),
        (
            of(example().login(post().send("/a", 1).send("/a/b", 1))),
            "same place",
        ),
        (of(example().login(post().header("a b", "c"))), "header"),
        (
            of(example().login(post().header("a", "b\r\nc: d"))),
            "header",
        ),
        (
            of(example().login(post().header("Content-Length", "5"))),
            "header",
        ),
        (of(example().login(post().header("HOST", "a"))), "header"),
        (
            of(example().login(Post::form("/x").token("/token").send("/a/b", 1))),
            "field of the request",
        ),
        (
            of(example().login(Post::form("/x").token("/token").send("/a", vec![1]))),
            "form",
        ),
        (of(example().login(login()).login_with(nobody)), "not both"),
        (of(example().refresh(post())), "the refresh of Native"),
        (
            of(example().refresh(Post::to("/x").send_refresh_token("/r"))),
            "the refresh of Native",
        ),
        (
            of(example().refresh(post().send_refresh_token("r"))),
            "the refresh of Native",
        ),
        (of(example().revoke(Post::to("/x"))), "the revoke of Native"),
        (
            of(example().revoke(revoke().token("/token"))),
            "the revoke of Native",
        ),
    ] {
        assert!(
            error.contains("misconfigured") && error.contains(part),
            "{error}"
        );
    }
}

#[test]
fn what_is_said_twice_is_refused() {
    let refreshes = plugin().refresh(async |_, _| Err(RefreshError::Ended));
    let both = error(refreshes.native(example().refresh(refresh())));
    assert!(
        both.contains("misconfigured") && both.contains("the refresh"),
        "{both}"
    );
    let revokes = plugin().revoke(async |_, _| Err(RevokeError::Refused));
    let both = error(revokes.native(example().revoke(revoke())));
    assert!(
        both.contains("misconfigured") && both.contains("the revoke"),
        "{both}"
    );
    let refreshes = plugin().refresh(async |_, _| Err(RefreshError::Ended));
    assert!(build(refreshes.native(example().login(login()).revoke(revoke()))).is_ok());
}
