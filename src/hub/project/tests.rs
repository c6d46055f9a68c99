//! Which project a directory is of.

use super::{Ground, ProjectDesk};
use crate::{
    agents::{pool::Pool, process::Launcher},
    config::{Environment, Flags, Settings},
    domain::fault::ErrorKind,
    hub::{peers::Peers, vault::Vault},
    store::{PageAt, Store, sql},
    workspace::lock::Server,
};
use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

struct Land {
    folder: TempDir,
    store: Store,
    desk: ProjectDesk,
}

impl Land {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        // As where /home is a link.
        let link = folder.path().join("link");
        symlink(&home, &link).unwrap();
        let settings = sql::Settings::default();
        let store = sql::open_sqlite(&folder.path().join("eyas.db"), settings)
            .await
            .unwrap();
        let launcher = Launcher::new(
            "/no".into(),
            folder.path().join("processes"),
            folder.path().join("logs"),
            Arc::new(str::to_owned),
        );
        let pool = Pool::start(launcher, 1_000);
        let desk = ProjectDesk::new(store.clone(), pool, peers(), server(), &link);
        Self {
            folder,
            store,
            desk,
        }
    }

    fn dir(&self, name: &str) -> PathBuf {
        let dir = self.folder.path().join("home").join(name);
        fs::create_dir_all(&dir).unwrap();
        dir.canonicalize().unwrap()
    }

    async fn root(&self, cwd: &Path) -> Option<String> {
        match self.desk.ground(None, Some(cwd)).await.unwrap() {
            Ground::Project(row) => Some(row.path),
            Ground::Unregistered(_) => None,
        }
    }
}

fn peers() -> Peers {
    let env = Environment {
        vars: [("EYAS_HOME".to_owned(), "/nowhere".to_owned())].into(),
        ..Environment::default()
    };
    let settings = Settings::load(&env, &Flags::default()).unwrap();
    Peers::new(Vault::new(&settings, &env))
}

fn server() -> Arc<Server> {
    Arc::new(Server {
        pid: std::process::id(),
        start_time: 0,
        boot_id: String::new(),
        hub: "ours".to_owned(),
        home: "/nowhere".into(),
        elsewhere: Vec::new(),
    })
}

fn text(path: &Path) -> Option<String> {
    path.to_str().map(str::to_owned)
}

#[tokio::test]
async fn a_directory_is_of_its_work_tree_and_else_its_own() {
    let land = Land::new().await;
    let (plain, below, deep) = (land.dir("p"), land.dir("p/a"), land.dir("r/a/b"));
    let repo = land.dir("r");
    fs::create_dir(repo.join(".git")).unwrap();
    assert_eq!(land.root(&plain).await, text(&plain));
    // A folder of many projects, in which somebody happened to work, does not swallow them.
    assert_eq!(land.root(&below).await, text(&below));
    assert_eq!(land.root(&deep).await, text(&repo));
    let found = land.desk.find(deep.to_str().unwrap()).await.unwrap();
    assert_eq!(Some(found.path), text(&repo));
}

#[tokio::test]
async fn what_was_unregistered_stays_so() {
    let land = Land::new().await;
    let plain = land.dir("p");
    land.root(&plain).await;
    let mut row = land.desk.find(plain.to_str().unwrap()).await.unwrap();
    row.unregistered = true;
    land.store.projects.update(row).await.unwrap();
    assert_eq!(land.root(&plain).await, None);
    let fault = land.desk.find(plain.to_str().unwrap()).await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::ProjectNotRegistered);
}

#[tokio::test]
async fn a_home_by_way_of_a_link_is_no_project_by_default() {
    let land = Land::new().await;
    let home = land.dir("");
    for cwd in [&home, &land.folder.path().join("link")] {
        let fault = land.desk.ground(None, Some(cwd)).await.unwrap_err();
        assert_eq!(fault.kind, ErrorKind::RequiredField);
    }
    // Dotfiles in git do not swallow what lies below.
    land.dir(".git");
    let plain = land.dir("p");
    assert_eq!(land.root(&plain).await, text(&plain));
}

#[tokio::test]
async fn a_directory_that_is_gone_can_still_be_named() {
    let land = Land::new().await;
    let plain = land.dir("p");
    land.root(&plain).await;
    fs::remove_dir(&plain).unwrap();
    let row = land.desk.find(plain.to_str().unwrap()).await.unwrap();
    assert_eq!(row.path, plain.to_str().unwrap());
    let never = land.desk.find("/never/was").await.unwrap_err();
    assert_eq!(never.kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_name_that_is_no_text_is_refused() {
    let land = Land::new().await;
    let odd = land.dir("").join(OsStr::from_bytes(b"p\xff"));
    fs::create_dir(&odd).unwrap();
    let link = land.dir("").join("text");
    symlink(&odd, &link).unwrap();
    let named = land.desk.ground(link.to_str(), None).await.unwrap_err();
    assert_eq!(named.kind, ErrorKind::InvalidParams, "{named}");
    assert!(
        land.store
            .projects
            .list(PageAt::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}
