//! A private session: a bus, a home and a provider of the Secret Service of its own.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use tempfile::TempDir;
use zbus::{
    Connection, MessageStream,
    fdo::{DBusProxy, PropertiesProxy},
    message,
    names::{BusName, InterfaceName},
};

use crate::provider::{Place, Provider, unlock_gnome_keyring};

/// The identifier of the app in the workers.
pub const SERVICE: &str = "app.secure-token.tests";

/// No service directory: nothing is started by the bus, neither a second keyring in the place of
/// one that was killed nor a program that shows prompts.
const BUS_CONFIG: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>"#;

pub struct Session {
    folder: TempDir,
    bus: Child,
    address: String,
    client: Connection,
    provider: Provider,
    running: Option<Child>,
    bus_hidden: bool,
}

impl Session {
    async fn new(provider: Provider) -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["home", "run"] {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        }
        let config = folder.path().join("bus.conf");
        fs::write(&config, BUS_CONFIG).unwrap();
        let mut bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon of the package dbus");
        let mut address = String::new();
        let mut printed = BufReader::new(bus.stdout.take().unwrap());
        printed.read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        let client = zbus::connection::Builder::address(address.as_str()).unwrap();
        Self {
            folder,
            bus,
            client: client.build().await.unwrap(),
            address,
            provider,
            running: None,
            bus_hidden: false,
        }
    }

    pub async fn without_keyring() -> Self {
        Self::new(Provider::GnomeKeyring).await
    }

    /// With a gnome-keyring whose login collection is there and unlocked.
    pub async fn unlocked() -> Self {
        Self::with(Provider::GnomeKeyring).await
    }

    /// With a provider whose default collection is there, and needs no person.
    pub async fn with(provider: Provider) -> Self {
        let mut session = Self::new(provider).await;
        provider.set_up(&session.place());
        session.start_unlocked().await;
        session
    }

    fn place(&self) -> Place<'_> {
        Place {
            folder: self.folder.path(),
            env: self.env(),
        }
    }

    pub fn env(&self) -> Vec<(&'static str, String)> {
        let path = |name| self.folder.path().join(name).display().to_string();
        let mut env = vec![
            ("PATH", std::env::var("PATH").unwrap()),
            ("HOME", path("home")),
            ("XDG_RUNTIME_DIR", path("run")),
        ];
        if !self.bus_hidden {
            env.push(("DBUS_SESSION_BUS_ADDRESS", self.address.clone()));
        }
        env
    }

    /// A connection to the bus.
    pub fn client(&self) -> Connection {
        self.client.clone()
    }

    /// Programs started from now on find no session bus.
    pub fn hide_bus(&mut self) {
        self.bus_hidden = true;
    }

    pub async fn start_unlocked(&mut self) {
        self.running = Some(self.provider.start(&self.place()));
        self.wait_for_lock(Some(self.provider.is_locked_when_open()))
            .await;
    }

    /// A gnome-keyring that was never unlocked in this home: it has no collection.
    pub async fn start_empty(&mut self) {
        self.running = Some(Provider::GnomeKeyring.start_locked(&self.place()));
        let bus = DBusProxy::new(&self.client).await.unwrap();
        let name = || BusName::from_static_str("org.freedesktop.secrets").unwrap();
        until(async || bus.name_has_owner(name()).await.unwrap()).await;
        self.wait_for_lock(None).await;
    }

    /// Ends the provider in order and starts it again, so that a person has to unlock it.
    pub async fn restart_locked(&mut self) {
        self.stop_keyring();
        self.running = Some(self.provider.start_locked(&self.place()));
        self.wait_for_lock(Some(true)).await;
    }

    /// Ends the provider in order: it saves what it has.
    pub fn stop_keyring(&mut self) {
        let running = self.running.take().expect("a provider that runs");
        self.provider.stop(running, &self.place());
    }

    pub fn kill_keyring(&mut self) {
        let mut running = self.running.take().expect("a provider that runs");
        running.kill().unwrap();
        running.wait().unwrap();
    }

    pub async fn unlock(&self) {
        unlock_gnome_keyring(self.folder.path());
        self.wait_for_lock(Some(false)).await;
    }

    /// Takes the place of the program that shows unlock prompts, and never answers.
    pub async fn ignoring_prompter(&self) -> Prompter {
        let connection = zbus::connection::Builder::address(self.address.as_str())
            .unwrap()
            .name("org.gnome.keyring.SystemPrompter")
            .unwrap()
            .build()
            .await
            .unwrap();
        let seen = Arc::new(AtomicUsize::new(0));
        let count = seen.clone();
        let mut messages = MessageStream::from(&connection);
        tokio::spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                let header = message.header();
                let is_call = message.message_type() == message::Type::MethodCall;
                if is_call
                    && header
                        .member()
                        .is_some_and(|member| member == "BeginPrompting")
                {
                    count.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        Prompter {
            seen,
            _connection: connection,
        }
    }

    /// The files of the collections.
    pub fn keyring_files(&self) -> Vec<PathBuf> {
        let folder = self.folder.path().join("home/.local/share/keyrings");
        let entries =
            fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()));
        let files = entries.into_iter().flatten();
        files
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "keyring")
            })
            .collect()
    }

    /// Stores an item with our attributes and one more.
    pub fn secret_tool_store(&self, account: &str, secret: &str) {
        let attributes = ["service", SERVICE, "username", account, "other", "program"];
        let mut tool = Command::new("secret-tool")
            .args(["store", "--label=of another program"])
            .args(attributes)
            .envs(self.env())
            .stdin(Stdio::piped())
            .spawn()
            .expect("secret-tool of the package libsecret-tools");
        let mut input = tool.stdin.take().unwrap();
        input.write_all(secret.as_bytes()).unwrap();
        drop(input);
        assert!(tool.wait().unwrap().success());
    }

    pub fn secret_tool_lookup(&self, account: &str) -> String {
        let attributes = ["service", SERVICE, "username", account, "other", "program"];
        let found = Command::new("secret-tool")
            .arg("lookup")
            .args(attributes)
            .envs(self.env())
            .output()
            .unwrap();
        String::from_utf8(found.stdout).unwrap()
    }

    /// Waits until the default collection is locked or not, or is not there (`None`).
    async fn wait_for_lock(&self, wanted: Option<bool>) {
        until(async || self.is_locked().await == wanted).await;
    }

    async fn is_locked(&self) -> Option<bool> {
        let properties = PropertiesProxy::builder(&self.client)
            .destination("org.freedesktop.secrets")
            .unwrap()
            .path("/org/freedesktop/secrets/aliases/default")
            .unwrap()
            .build()
            .await
            .unwrap();
        let interface =
            InterfaceName::from_static_str("org.freedesktop.Secret.Collection").unwrap();
        let locked = properties.get(interface, "Locked").await.ok()?;
        Some(bool::try_from(locked).unwrap())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let running = self.running.iter_mut().chain([&mut self.bus]);
        for process in running {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Somebody who is asked for the password and does not answer.
pub struct Prompter {
    seen: Arc<AtomicUsize>,
    _connection: Connection,
}

impl Prompter {
    pub fn prompts_seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    pub async fn wait_for_prompt(&self) {
        until(async || self.prompts_seen() > 0).await;
    }
}

async fn until(condition: impl AsyncFn() -> bool) {
    while !condition().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
