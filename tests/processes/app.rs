//! What a worker process is: the app with its windows, told what to do over its standard input.

use std::{
    collections::BTreeSet,
    env,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
};

use serde_json::{Value, json};
use tauri::{
    App,
    ipc::{CallbackFn, InvokeResponse},
    test::{INVOKE_KEY, MockRuntime, mock_builder, mock_context, noop_assets},
    utils::acl::ExecutionContext,
    webview::InvokeRequest,
};
use tauri_plugin_secure_token::{Builder, RefreshError, RevokeError, Token, Tokens};

use crate::{
    page::Page,
    server::ask,
    store::FileStore,
    worker::{ANSWER, FOLDER, IDENTIFIER, LOGS, REFRESHER},
};

const WINDOWS: usize = 4;

/// The concurrent 401s of a window.
const CALLS: usize = 50;

const COMMANDS: [&str; 7] = [
    "session_open",
    "session_hydrate",
    "session_sign_in",
    "session_sign_out",
    "session_token",
    "session_lease",
    "session_answer",
];

struct Notebook;

impl log::Log for Notebook {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.target().starts_with("tauri_plugin_secure_token") {
            eprintln!("{}", record.args());
        }
    }

    fn flush(&self) {}
}

async fn ask_server(address: SocketAddr, request: String) -> Option<String> {
    let asked = tauri::async_runtime::spawn_blocking(move || ask(address, &request)).await;
    asked.ok()?.ok()
}

fn app(address: SocketAddr) -> App<MockRuntime> {
    let folder = PathBuf::from(env::var_os(FOLDER).unwrap());
    let mut plugin = Builder::new()
        .store(Arc::new(FileStore::in_folder(folder)))
        .revoke(move |_, record| async move {
            let token = record.refresh_token.ok_or(RevokeError::Refused)?;
            let request = format!("revoke {}", token.expose());
            let failed = RevokeError::Failed { retry_after: None };
            let response = ask_server(address, request).await;
            response
                .filter(|told| told == "revoked")
                .map(drop)
                .ok_or(failed)
        });
    if env::var(REFRESHER).is_ok_and(|refresher| refresher == "rust") {
        plugin = plugin.refresh(move |_, record| async move {
            let token = record.refresh_token.ok_or(RefreshError::Ended)?;
            let request = format!("refresh {}", token.expose());
            let response = ask_server(address, request).await;
            let response = response.ok_or(RefreshError::failed())?;
            let (token, refresh_token) = renewed(&response).ok_or(RefreshError::Ended)?;
            let mut tokens = Tokens::new(Token::new(token).unwrap());
            tokens.refresh_token = Some(Token::new(refresh_token).unwrap());
            Ok(tokens)
        });
    }
    let mut context = mock_context(noop_assets());
    context.config_mut().identifier = IDENTIFIER.into();
    for command in COMMANDS {
        let command = format!("plugin:secure-token|{command}");
        let authority = context.runtime_authority_mut();
        authority.__allow_command(command, ExecutionContext::Local);
    }
    let builder = mock_builder().plugin(plugin.build());
    builder.build(context).unwrap()
}

fn renewed(response: &str) -> Option<(&str, &str)> {
    response.strip_prefix("renewed ")?.split_once(' ')
}

/// Does what the page's session does with a lease.
fn answer(page: &Page, leased: &Value, address: SocketAddr) -> Result<Value, Value> {
    let refresh_token = leased["record"]["refreshToken"].as_str().unwrap_or("none");
    let lease = &leased["lease"];
    let reply = match ask(address, &format!("refresh {refresh_token}")) {
        Err(_) => json!({ "lease": lease, "failed": true }),
        Ok(response) => match renewed(&response) {
            Some((token, refresh_token)) => {
                json!({ "lease": lease, "token": token, "refreshToken": refresh_token })
            }
            None => json!({ "lease": lease, "ended": true }),
        },
    };
    page.invoke("session_answer", reply)
}

/// Asks for a token as the page does: it carries the refresh out if that falls to it.
fn lease(page: &Page, args: Value, address: SocketAddr) -> Result<Value, Value> {
    let leased = page.invoke("session_lease", args)?;
    if leased.get("lease").is_some() {
        return answer(page, &leased, address);
    }
    Ok(leased)
}

/// What becomes of all calls of a window at once, each of which the server has refused `rejected`.
fn refused_calls(page: &Page, rejected: &str, address: SocketAddr) -> BTreeSet<String> {
    let (sender, responses) = mpsc::channel();
    for call in 0..CALLS {
        // A request of Rust waits for others, one of the page would refresh itself.
        let command = if call % 2 == 0 {
            "session_lease"
        } else {
            "session_token"
        };
        let request = InvokeRequest {
            cmd: format!("plugin:secure-token|{command}"),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: "tauri://localhost".parse().unwrap(),
            body: json!({ "rejected": rejected, "accepted": true }).into(),
            headers: tauri::http::HeaderMap::default(),
            invoke_key: INVOKE_KEY.into(),
        };
        let sender = sender.clone();
        let webview: &tauri::Webview<MockRuntime> = page.window.as_ref();
        webview.clone().on_message(
            request,
            Box::new(move |_, _, response, _, _| sender.send(response).unwrap()),
        );
    }
    drop(sender);
    let outcomes = responses.into_iter().map(|response| {
        let given = match response {
            InvokeResponse::Ok(body) => Ok(body.deserialize::<Value>().unwrap()),
            InvokeResponse::Err(error) => Err(error.0),
        };
        let given = given.and_then(|given| match given.get("lease") {
            Some(_) => answer(page, &given, address),
            None => Ok(given),
        });
        match given {
            Ok(given) => given["token"].as_str().unwrap_or("no token").to_owned(),
            Err(error) => error.to_string(),
        }
    });
    let mut counted = 0;
    let outcomes = outcomes.inspect(|_| counted += 1).collect();
    assert_eq!(counted, CALLS, "each call comes to an end");
    outcomes
}

/// Not a test but the worker processes of the tests.
pub fn run(address: &str) {
    let address = address.parse().unwrap();
    if env::var_os(LOGS).is_some() {
        log::set_logger(&Notebook).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    }
    let app = app(address);
    let pages: Vec<_> = (0..WINDOWS)
        .map(|number| Arc::new(Page::open(&app, &format!("window-{number}"))))
        .collect();
    for (number, page) in pages.iter().enumerate() {
        let channel = format!("__CHANNEL__:{number}");
        let args = json!({ "channel": channel, "refreshes": true });
        page.invoke("session_open", args).unwrap();
    }
    let page = &pages[0];
    for line in std::io::stdin().lines() {
        let order: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let told = match order["op"].as_str().unwrap() {
            "sign in" => page.invoke("session_sign_in", order["tokens"].clone()),
            "sign out" => page.invoke("session_sign_out", json!({})),
            "hydrate" => page.invoke("session_hydrate", json!({})),
            "current" => page.invoke("session_token", json!({})),
            "lease" => lease(page, order["args"].clone(), address),
            "lease later" => {
                let (page, args) = (page.clone(), order["args"].clone());
                thread::spawn(move || tell(&outcome(lease(&page, args, address))));
                continue;
            }
            "refused calls" => {
                let rejected = order["rejected"].as_str().unwrap();
                let outcomes: BTreeSet<_> = thread::scope(|scope| {
                    let start = |page: &Arc<Page>| {
                        let page = page.clone();
                        scope.spawn(move || refused_calls(&page, rejected, address))
                    };
                    let windows: Vec<_> = pages.iter().map(start).collect();
                    let joined = windows.into_iter().map(|window| window.join().unwrap());
                    joined.flatten().collect()
                });
                Ok(json!(outcomes))
            }
            op => panic!("unknown order {op}"),
        };
        tell(&outcome(told));
    }
}

fn outcome(result: Result<Value, Value>) -> Value {
    result.unwrap_or_else(|error| json!({ "error": error }))
}

fn tell(told: &Value) {
    println!("\n{ANSWER}{told}");
}
