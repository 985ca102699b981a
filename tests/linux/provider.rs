//! The programs that answer for the Secret Service: how each is set up in a fresh home and started.

use std::{
    fs::{self, File},
    io::Write,
    os::{
        fd::OwnedFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::session::ends_with_this_process;

pub const PASSWORD: &str = "keyring password";

/// The group of the KeePassXC database that its Secret Service shows, and how the file writes it.
const GROUP: &str = "{11111111-1111-1111-1111-111111111111}";
const GROUP_IN_BASE64: &str = "EREREREREREREREREREREQ==";

/// It saves when it ends.
const KEEPASSXC_SETTINGS: &str = "[General]
ConfigVersion=2
AutoSaveAfterEveryChange=false
SingleInstance=false
UpdateCheckMessageShown=true
[Security]
LockDatabaseScreenLock=false
[FdoSecrets]
Enabled=true
ShowNotification=false
UnlockBeforeSearch=false
";

/// For tests without a person who answers its questions; it asks them unless it is told not to.
const KEEPASSXC_ASKS_NOTHING: &str = "ConfirmAccessItem=false
ConfirmDeleteItem=false
";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    GnomeKeyring,
    KWallet,
    KeePassXc,
    /// With its default settings: a person lets each program use each entry, and confirms each removal.
    KeePassXcThatAsks,
}

/// What a provider is started with.
pub struct Place<'a> {
    pub folder: &'a Path,
    pub env: Vec<(&'static str, String)>,
    /// What it says on its standard error.
    pub log: &'a File,
}

impl Provider {
    pub fn name(self) -> &'static str {
        match self {
            Self::GnomeKeyring => "Secret Service (gnome-keyring)",
            Self::KWallet => "Secret Service (KWallet)",
            Self::KeePassXc | Self::KeePassXcThatAsks => "Secret Service (KeePassXC)",
        }
    }

    /// What the provider says of its default collection when it was started so that a call needs no
    /// person. KWallet wants to be asked to unlock, and then does so by itself.
    pub fn is_locked_when_open(self) -> bool {
        self == Self::KWallet
    }

    /// The title of the window that asks for the password.
    pub fn unlock_dialog(self) -> &'static str {
        match self {
            Self::GnomeKeyring => "Unlock Login Keyring",
            Self::KWallet => "KDE Wallet Service",
            Self::KeePassXc | Self::KeePassXcThatAsks => "Unlock Database - KeePassXC",
        }
    }

    /// Makes the collection, where that takes more than a start.
    pub fn set_up(self, place: &Place<'_>) {
        match self {
            Self::GnomeKeyring => {}
            Self::KWallet => {
                let folder = place.folder.join("home/.local/share/kwalletd");
                fs::create_dir_all(&folder).unwrap();
                fs::write(folder.join("kdewallet.salt"), [b's'; 56]).unwrap();
                // The first start makes the wallet, the next ones show it.
                let first = self.start(place);
                let wallet = folder.join("kdewallet.kwl");
                while !wallet.exists() {
                    std::thread::sleep(Duration::from_millis(5));
                }
                self.stop(first, place);
            }
            Self::KeePassXc => make_database(place, KEEPASSXC_ASKS_NOTHING),
            Self::KeePassXcThatAsks => make_database(place, ""),
        }
    }

    /// Starts the provider so that a call needs no person.
    pub fn start(self, place: &Place<'_>) -> Child {
        match self {
            Self::GnomeKeyring => gnome_keyring(place, &["--unlock"], PASSWORD),
            Self::KWallet => kwallet_opened_by_login(place),
            Self::KeePassXc | Self::KeePassXcThatAsks => {
                keepassxc(place, &["--pw-stdin"], PASSWORD)
            }
        }
    }

    /// Ends the provider in order: it saves what it has.
    pub fn stop(self, mut running: Child, place: &Place<'_>) {
        if self == Self::KWallet {
            // It saves up to 5 s late, and not when it is told to end.
            let mut save = command("dbus-send", place);
            save.args(["--session", "--print-reply", "--dest=org.kde.kwalletd5"])
                .args(["/modules/kwalletd5", "org.kde.KWallet.closeAllWallets"]);
            assert!(save.status().unwrap().success());
        }
        let id = running.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        running.wait().unwrap();
    }

    /// Starts the provider so that a person has to unlock it.
    pub fn start_locked(self, place: &Place<'_>) -> Child {
        match self {
            Self::GnomeKeyring => gnome_keyring(place, &[], ""),
            Self::KWallet => spawn(command("kwalletd5", place), ""),
            Self::KeePassXc | Self::KeePassXcThatAsks => keepassxc(place, &[], ""),
        }
    }
}

/// Unlocks gnome-keyring as the login screen does it, over the daemon's control socket: the operation
/// UNLOCK (1) with the password as its only argument.
pub fn unlock_gnome_keyring(folder: &Path) {
    use std::io::Read;

    let mut socket = UnixStream::connect(folder.join("run/keyring/control")).unwrap();
    let number = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    let credentials = [0];
    let packet = [
        &credentials[..],
        &number(12 + PASSWORD.len()),
        &number(1),
        &number(PASSWORD.len()),
        PASSWORD.as_bytes(),
    ];
    socket.write_all(&packet.concat()).unwrap();
    let mut answer = [0; 8];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(answer[4..], [0; 4], "the keyring refused to unlock");
}

fn command(program: &str, place: &Place<'_>) -> Command {
    let mut command = ends_with_this_process(program);
    command
        .env_clear()
        .envs(place.env.clone())
        .env("QT_QPA_PLATFORM", platform(place))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(place.log.try_clone().unwrap());
    command
}

/// What Qt shows its windows on.
fn platform(place: &Place<'_>) -> &'static str {
    let has_screen = place.env.iter().any(|(name, _)| *name == "DISPLAY");
    if has_screen { "xcb" } else { "offscreen" }
}

fn spawn(mut command: Command, input: &str) -> Child {
    let mut provider = command.spawn().unwrap_or_else(|error| {
        panic!("{}: {error}", command.get_program().display());
    });
    if let Some(mut stdin) = provider.stdin.take() {
        stdin.write_all(input.as_bytes()).unwrap();
    }
    provider
}

fn gnome_keyring(place: &Place<'_>, args: &[&str], password: &str) -> Child {
    let mut command = command("gnome-keyring-daemon", place);
    command
        .args(["--foreground", "--components=secrets"])
        .args(args);
    spawn(command, password)
}

/// As `pam_kwallet` does it: the key of the wallet, made from the login password, goes over one file
/// descriptor, and the environment of the session, once there is one, over a socket.
fn kwallet_opened_by_login(place: &Place<'_>) -> Child {
    let path = place.folder.join("kwallet.socket");
    if path.exists() {
        fs::remove_file(&path).unwrap();
    }
    let socket = UnixListener::bind(&path).unwrap();
    let (key, mut login) = std::io::pipe().unwrap();
    let mut command = command("kwalletd5", place);
    command
        .args(["--pam-login", "1", "2"])
        .env("PAM_KWALLET5_LOGIN", &path)
        .stdout(OwnedFd::from(key))
        .stderr(OwnedFd::from(socket));
    let provider = spawn(command, "");
    login.write_all(&[b'k'; 56]).unwrap();
    let mut environment = UnixStream::connect(&path).unwrap();
    for (name, value) in &place.env {
        writeln!(environment, "{name}={value}").unwrap();
    }
    writeln!(environment, "QT_QPA_PLATFORM={}", platform(place)).unwrap();
    provider
}

fn keepassxc(place: &Place<'_>, args: &[&str], password: &str) -> Child {
    let mut command = command("keepassxc", place);
    command.args(args).arg(place.folder.join("database.kdbx"));
    spawn(command, password)
}

fn make_database(place: &Place<'_>, questions: &str) {
    let settings = place.folder.join("home/.config/keepassxc");
    fs::create_dir_all(&settings).unwrap();
    let text = format!("{KEEPASSXC_SETTINGS}{questions}");
    fs::write(settings.join("keepassxc.ini"), text).unwrap();
    let xml = format!(
        "<KeePassFile><Meta><RecycleBinEnabled>False</RecycleBinEnabled><CustomData><Item>\
         <Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>{GROUP}</Value></Item></CustomData></Meta>\
         <Root><Group><UUID>{GROUP_IN_BASE64}</UUID><Name>Root</Name></Group></Root></KeePassFile>"
    );
    let description = place.folder.join("database.xml");
    fs::write(&description, xml).unwrap();
    let mut import = command("keepassxc-cli", place);
    import
        .args(["import", "-q", "-p", "-t", "100"])
        .args([description, place.folder.join("database.kdbx")]);
    let imported = spawn(import, &format!("{PASSWORD}\n{PASSWORD}\n")).wait();
    assert!(imported.unwrap().success());
}
