//! Where a hub listens. The hub decides and writes it down in `hub.json`; faces read it there and compute nothing.

use super::lock;
use crate::{
    api,
    config::{Environment, Settings},
    domain::{
        fault::{ErrorKind, Fault},
        ids::HubId,
    },
    stdx::atomic,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    fs, io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};
use tokio::net::UnixListener;

/// Shorter than what any system takes for a socket's path (104 on macOS, 108 on Linux).
const MAX_PATH: usize = 100;

/// What `hub.json` says. Fields may come in later versions: unknown ones are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Path of the socket; absent while a face serves itself in process.
    #[serde(default)]
    pub endpoint: Option<PathBuf>,
    pub version: String,
    pub revision: u32,
    pub hub: HubId,
    pub pid: u32,
}

/// The API's revision that this process speaks.
pub(super) fn revision(settings: &Settings) -> u32 {
    settings.test_revision.unwrap_or(api::REVISION)
}

impl Endpoint {
    /// What the last hub of this home wrote; `None` when there is nothing that can be read as such.
    ///
    /// # Errors
    /// `forbidden` when the file belongs to another user.
    pub fn read(settings: &Settings) -> Result<Option<Self>, Fault> {
        let path = path(settings);
        let Ok(text) = fs::read(&path) else {
            return Ok(None);
        };
        lock::ours(&path)?;
        Ok(serde_json::from_slice(&text).ok())
    }

    pub(super) fn write(&self, settings: &Settings) -> Result<(), Fault> {
        let text = serde_json::to_vec(self).map_err(Fault::internal)?;
        atomic::write(&path(settings), &text, 0o600)
            .map_err(|error| failed("write", &path(settings), &error))
    }

    /// Takes our own entry back. Only under the lock: another hub's would be lost otherwise.
    pub(super) fn remove(&self, settings: &Settings) {
        remove(&path(settings));
        if let Some(socket) = &self.endpoint {
            remove(socket);
        }
    }
}

fn path(settings: &Settings) -> PathBuf {
    settings.data.join("hub.json")
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "a file of the hub stays behind");
    }
}

/// Binds the home's socket: 0600, in a directory of ours of mode 0700. What a dead hub left is replaced; only the owner of the home may call.
pub(super) fn bind(
    settings: &Settings,
    env: &Environment,
) -> Result<(UnixListener, PathBuf), Fault> {
    let path = place(settings, env)?;
    match fs::symlink_metadata(&path) {
        Ok(found) if found.uid() != rustix::process::geteuid().as_raw() => {
            return Err(foreign(&path));
        }
        Ok(_) => remove(&path),
        Err(_) => {}
    }
    let listener = UnixListener::bind(&path).map_err(|error| failed("listen on", &path, &error))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
        .map_err(|error| failed("protect", &path, &error))?;
    Ok((listener, path))
}

/// The first that fits: the runtime directory, the home, a private directory below the temporary one.
fn place(settings: &Settings, env: &Environment) -> Result<PathBuf, Fault> {
    let home = fs::canonicalize(&settings.data).unwrap_or_else(|_| settings.data.clone());
    let digest = Sha256::digest(home.as_os_str().as_encoded_bytes());
    let name: String = digest[..8].iter().map(|b| format!("{b:02x}")).collect();
    let name = format!("{name}.sock");
    if let Some(runtime) = settings.runtime_dir.as_deref().filter(|dir| usable(dir)) {
        let folder = runtime.join("eyas");
        if short(&folder.join(&name)) && private(&folder).is_ok() {
            return Ok(folder.join(name));
        }
    }
    let in_home = settings.data.join("hub.sock");
    if short(&in_home) {
        return Ok(in_home);
    }
    let folder = env.temp_dir.join(own_name());
    private(&folder)?;
    Ok(folder.join(name))
}

/// Folders that hubs of one user share whatever their homes; none need be there yet. All that may be are named: two hubs may have been
/// started with different environments.
pub(super) fn shared_folders(settings: &Settings, env: &Environment) -> Vec<PathBuf> {
    let uid = rustix::process::geteuid().as_raw();
    let usual = PathBuf::from(format!("/run/user/{uid}"));
    let runtime = settings.runtime_dir.clone().into_iter().chain([usual]);
    let runtime = runtime
        .filter(|dir| usable(dir))
        .map(|dir| dir.join("eyas"));
    let temporary = [env.temp_dir.clone(), PathBuf::from("/tmp")];
    let temporary = temporary.into_iter().map(|dir| dir.join(own_name()));
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in runtime.chain(temporary) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

fn own_name() -> String {
    format!("eyas-{}", rustix::process::geteuid().as_raw())
}

fn short(path: &Path) -> bool {
    path.as_os_str().len() < MAX_PATH
}

/// A runtime directory is ours and nobody else may write there; otherwise it is as if there were none.
fn usable(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|found| {
        found.is_dir()
            && found.uid() == rustix::process::geteuid().as_raw()
            && found.mode() & 0o022 == 0
    })
}

/// The temporary directory is everybody's: the directory in it must be a real one, and ours, before it is trusted.
fn private(folder: &Path) -> Result<(), Fault> {
    if let Ok(found) = fs::symlink_metadata(folder)
        && (!found.is_dir() || found.uid() != rustix::process::geteuid().as_raw())
    {
        return Err(foreign(folder));
    }
    atomic::private_dir(folder).map_err(|error| failed("create", folder, &error))?;
    lock::ours(folder)
}

/// Somebody else's thing where ours should be.
pub(super) fn foreign(path: &Path) -> Fault {
    Fault::new(
        ErrorKind::Forbidden,
        format!("{} belongs to another user", path.display()),
    )
    .hint("remove it, or set EYAS_HOME to a directory of your own")
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Fault {
    Fault::new(
        ErrorKind::DatabaseUnavailable,
        format!("failed to {what} {}: {error}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::{MAX_PATH, place};
    use crate::config::{Environment, Flags, Settings};
    use std::path::{Path, PathBuf};

    fn placed(home: &Path, runtime: Option<&Path>, temp: &Path) -> PathBuf {
        std::fs::create_dir_all(home).expect("a directory");
        let mut vars = vec![("EYAS_HOME", home)];
        vars.extend(runtime.map(|dir| ("XDG_RUNTIME_DIR", dir)));
        let env = Environment {
            vars: vars
                .into_iter()
                .map(|(n, v)| (n.to_owned(), v.to_string_lossy().into_owned()))
                .collect(),
            temp_dir: temp.to_owned(),
            ..Environment::default()
        };
        let settings = Settings::load(&env, &Flags::default()).expect("nothing is wrong");
        place(&settings, &env).expect("there is a place")
    }

    #[test]
    fn a_socket_goes_to_the_runtime_directory_else_the_home_else_below_the_temporary_one() {
        let root = tempfile::tempdir().expect("a directory");
        let [home, runtime, temp] = ["h", "r", "t"].map(|name| root.path().join(name));
        std::fs::create_dir(&runtime).expect("a directory");
        let long = home.join("x".repeat(MAX_PATH));
        assert!(placed(&home, Some(&runtime), &temp).starts_with(runtime.join("eyas")));
        assert_eq!(placed(&home, None, &temp), home.join("hub.sock"));
        assert_eq!(
            placed(&home, Some(&root.path().join("absent")), &temp),
            home.join("hub.sock")
        );
        let far = placed(&long, None, &temp);
        assert!(far.starts_with(&temp) && far.as_os_str().len() < MAX_PATH);
        assert!(placed(&long, Some(&runtime), &temp).starts_with(runtime));
    }
}
