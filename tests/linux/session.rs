//! A private session: a bus, a home and a provider of the Secret Service of its own.

use std::{
    cell::RefCell,
    fs::{self, File},
    io::{BufRead, BufReader, Read, Seek, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use zbus::{
    Connection,
    fdo::{DBusProxy, PropertiesProxy},
    names::{BusName, InterfaceName},
};

use crate::{
    prompter::{Person, Prompter},
    provider::{Place, Provider, unlock_gnome_keyring},
    screen::Screen,
};

/// The identifier of the app in the workers.
pub const SERVICE: &str = "app.secure-token.tests";

/// The only directory of services is empty: nothing is started by the bus, neither a second keyring in the
/// place of one that was killed nor a program that shows prompts.
const BUS_CONFIG: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <servicedir>SERVICES</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>"#;

/// In about 1 of 125 sessions KWallet has another key than its client, and secret-tool gives up.
const SECRET_TOOL_ATTEMPTS: usize = 3;

/// How long a condition may take to come true. Only a test that fails waits that long.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a provider that no longer replies may take to end.
const LAST_BREATH: Duration = Duration::from_secs(20);

pub struct Session {
    folder: TempDir,
    bus: Child,
    address: String,
    client: Connection,
    provider: Provider,
    running: RefCell<Option<Child>>,
    /// What gnome-keyring has said. A file without a name: tests look through those in `folder`.
    log: File,
    bus_hidden: bool,
    display: Option<String>,
}

impl Session {
    async fn new(provider: Provider) -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["home", "run", "services"] {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        }
        let config = folder.path().join("bus.conf");
        let services = folder.path().join("services").display().to_string();
        fs::write(&config, BUS_CONFIG.replace("SERVICES", &services)).unwrap();
        let mut bus = ends_with_this_process("dbus-daemon")
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
            running: RefCell::default(),
            log: tempfile::tempfile().unwrap(),
            bus_hidden: false,
            display: None,
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
            log: &self.log,
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
        if let Some(display) = &self.display {
            env.push(("DISPLAY", display.clone()));
        }
        env
    }

    /// A connection to the bus.
    pub fn client(&self) -> Connection {
        self.client.clone()
    }

    /// Programs started from now on show their windows on `screen`.
    pub fn show_on(&mut self, screen: &Screen) {
        self.display = Some(screen.display().into());
    }

    /// Programs started from now on find no session bus.
    pub fn hide_bus(&mut self) {
        self.bus_hidden = true;
    }

    pub async fn start_unlocked(&mut self) {
        let started = self.provider.start(&self.place());
        self.running.replace(Some(started));
        self.wait_for_lock(Some(self.provider.is_locked_when_open()))
            .await;
    }

    /// A gnome-keyring that was never unlocked in this home: it has no collection.
    pub async fn start_empty(&mut self) {
        let started = Provider::GnomeKeyring.start_locked(&self.place());
        self.running.replace(Some(started));
        until(async || self.has_owner("org.freedesktop.secrets").await).await;
        self.wait_for_lock(None).await;
    }

    /// Whether somebody answers on the bus for `name`.
    pub async fn has_owner(&self, name: &'static str) -> bool {
        let bus = DBusProxy::new(&self.client).await.unwrap();
        let name = BusName::from_static_str(name).unwrap();
        bus.name_has_owner(name).await.unwrap()
    }

    /// Ends the provider in order and starts it again, so that a person has to unlock it.
    pub async fn restart_locked(&mut self) {
        self.stop_keyring();
        self.start_locked().await;
    }

    /// Starts the provider so that a person has to unlock it.
    pub async fn start_locked(&mut self) {
        let started = self.provider.start_locked(&self.place());
        self.running.replace(Some(started));
        self.wait_for_lock(Some(true)).await;
    }

    /// From now on the bus starts gnome-keyring, locked, for whoever calls it: as on a desktop.
    pub async fn let_the_bus_start_it(&self) {
        let env: Vec<_> = self
            .env()
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let service = format!(
            "[D-BUS Service]\nName=org.freedesktop.secrets\n\
             Exec=/usr/bin/env -i {} gnome-keyring-daemon --foreground --components=secrets\n",
            env.join(" ")
        );
        let file = self.folder.path().join("services/secrets.service");
        fs::write(file, service).unwrap();
        let bus = DBusProxy::new(&self.client).await.unwrap();
        bus.reload_config().await.unwrap();
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

    /// How the provider has ended by itself and what it said last, if it has.
    pub fn keyring_end(&self) -> Option<String> {
        let status = self.running.borrow_mut().as_mut()?.try_wait().unwrap()?;
        let mut said = String::new();
        (&self.log).rewind().unwrap();
        (&self.log).read_to_string(&mut said).unwrap();
        let last = said.lines().rev().find(|line| !line.is_empty());
        Some(format!("{status}: {}", last.unwrap_or("nothing said")))
    }

    /// As [`keyring_end`](Self::keyring_end), for a provider that no longer replies: its end may come a little later.
    pub async fn wait_for_keyring_end(&self) -> Option<String> {
        let ended = until(async || self.keyring_end().is_some());
        // A provider that has not ended is what the caller asks about.
        let _ = tokio::time::timeout(LAST_BREATH, ended).await;
        self.keyring_end()
    }

    pub async fn unlock(&self) {
        unlock_gnome_keyring(self.folder.path());
        self.wait_for_lock(Some(false)).await;
    }

    /// Takes the place of the program that shows unlock prompts, and never answers.
    pub async fn ignoring_prompter(&self) -> Prompter {
        Prompter::start(&self.address, Person::Ignores).await
    }

    /// Takes the place of the program that shows unlock prompts, for a person who cancels them.
    pub async fn dismissing_prompter(&self) -> Prompter {
        Prompter::start(&self.address, Person::Cancels).await
    }

    pub fn bus_address(&self) -> &str {
        &self.address
    }

    /// The files of the collections.
    pub fn keyring_files(&self) -> Vec<PathBuf> {
        let mut files = self.all_files();
        files.retain(|path| path.extension().is_some_and(|has| has == "keyring"));
        files
    }

    /// All that was written in this session.
    pub fn all_files(&self) -> Vec<PathBuf> {
        Self::files_in(self.folder.path())
    }

    /// The files in `folder` and in the folders in it.
    pub fn files_in(folder: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                files.append(&mut Self::files_in(&entry.path()));
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
        files
    }

    /// Stores an item with our attributes and `more`.
    pub fn secret_tool_store(&self, account: &str, more: &[&str], secret: &str) {
        let stored = (0..SECRET_TOOL_ATTEMPTS).any(|_| {
            let mut tool = self.secret_tool("store", account, more);
            tool.arg("--label=of another program").stdin(Stdio::piped());
            let mut tool = tool
                .spawn()
                .expect("secret-tool of the package libsecret-tools");
            let mut input = tool.stdin.take().unwrap();
            input.write_all(secret.as_bytes()).unwrap();
            drop(input);
            tool.wait().unwrap().success()
        });
        assert!(stored, "secret-tool cannot store");
    }

    pub fn secret_tool_lookup(&self, account: &str, more: &[&str]) -> String {
        let found = (0..SECRET_TOOL_ATTEMPTS).find_map(|_| {
            let found = self.secret_tool("lookup", account, more).output().unwrap();
            found.status.success().then_some(found.stdout)
        });
        String::from_utf8(found.unwrap_or_default()).unwrap()
    }

    fn secret_tool(&self, verb: &str, account: &str, more: &[&str]) -> Command {
        let mut tool = Command::new("secret-tool");
        tool.arg(verb)
            .args(["service", SERVICE, "username", account])
            .args(more)
            .envs(self.env());
        tool
    }

    /// Waits until the default collection is locked or not, or is not there (`None`).
    async fn wait_for_lock(&self, wanted: Option<bool>) {
        until(async || {
            let end = self.keyring_end();
            assert_eq!(end, None, "the provider has ended");
            self.is_locked().await == wanted
        })
        .await;
    }

    async fn is_locked(&self) -> Option<bool> {
        // The properties of the service first, as libsecret does: a property of a collection that is the first
        // thing which gnome-keyring is asked for over a connection can end it.
        let service = self.properties("/org/freedesktop/secrets").await;
        let interface = InterfaceName::from_static_str("org.freedesktop.Secret.Service").unwrap();
        service.get_all(interface).await.ok()?;
        let collection = self
            .properties("/org/freedesktop/secrets/aliases/default")
            .await;
        let interface =
            InterfaceName::from_static_str("org.freedesktop.Secret.Collection").unwrap();
        let locked = collection.get(interface, "Locked").await.ok()?;
        Some(bool::try_from(locked).unwrap())
    }

    async fn properties(&self, path: &'static str) -> PropertiesProxy<'_> {
        PropertiesProxy::builder(&self.client)
            .destination("org.freedesktop.secrets")
            .unwrap()
            .path(path)
            .unwrap()
            .build()
            .await
            .unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let provider = self.running.get_mut();
        for process in provider.iter_mut().chain([&mut self.bus]) {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// `program`, which the kernel ends with this thread: a test run that is killed leaves no processes behind.
pub fn ends_with_this_process(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}

pub async fn until(condition: impl AsyncFn() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("what is waited for comes true");
}
