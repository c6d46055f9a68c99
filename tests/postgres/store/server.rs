//! A server for the tests of this process: the one at `EYAS_TEST_POSTGRES_URL` (a superuser's or database creator's address), else a private one
//! on a socket in a folder of its own, which ends with the process, however that ends.

use eyas::store::sql::{self, Settings};
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};
use std::{
    fs,
    io::Write as _,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    str::FromStr as _,
    sync::OnceLock,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// A database with our schema and nothing in it, for others to be copied from.
const BLANK: &str = "eyas_test_blank";
const START: Duration = Duration::from_mins(1);

/// Starts the server anew with each line from the test process; ends it when the pipe closes, then removes the folder.
const KEEPER: &str = r#"
postgres="$1"; folder="$2"; shift 2
while :; do
  "$postgres" -D "$folder/data" -k "$folder" "$@" </dev/null >>"$folder/log" 2>&1 &
  server=$!
  read -r _; more=$?
  kill -INT "$server"
  wait "$server"
  [ "$more" = 0 ] || break
done
rm -rf "$folder"
"#;

#[derive(Debug)]
pub(crate) struct Server {
    /// Of the database for what concerns no other.
    admin: PgConnectOptions,
    url: String,
    blank: String,
    /// The server lives as long as the pipe to this is open.
    keeper: Option<Child>,
}

/// The server of this process, started when first asked for.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        // A runtime of its own, for whoever asks is in one that ends with its test.
        let started = std::thread::spawn(|| in_a_runtime(Server::start()));
        started.join().expect("the server starts")
    })
}

/// For whoever is in none.
pub(crate) fn in_a_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

impl Server {
    async fn start() -> Self {
        let (url, blank, keeper) = if let Ok(url) = std::env::var("EYAS_TEST_POSTGRES_URL") {
            // Others may use that server at the same time.
            let blank = format!("{BLANK}_{}", Uuid::now_v7().simple());
            (url, blank, None)
        } else {
            let (url, keeper) = private();
            (url, BLANK.to_owned(), Some(keeper))
        };
        let server = Self {
            admin: PgConnectOptions::from_str(&url).unwrap(),
            url,
            blank,
            keeper,
        };
        server.wait().await;
        server
            .run(&format!(
                "CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0",
                server.blank
            ))
            .await;
        let store = sql::open_postgres(&server.address(&server.blank), Settings::default())
            .await
            .unwrap();
        store.closer.close().await;
        server
    }

    /// A server that no other test uses, to be treated badly; `None` where the tests are given somebody's.
    pub(crate) fn alone() -> Option<Self> {
        if std::env::var_os("EYAS_TEST_POSTGRES_URL").is_some() {
            return None;
        }
        let started = std::thread::spawn(|| in_a_runtime(Self::start()));
        Some(started.join().expect("the server starts"))
    }

    /// Ends it as an operator would who has no time, and starts it again.
    pub(crate) fn restart(&self) {
        let keeper = self.keeper.as_ref().expect("a server of our own");
        let mut pipe = keeper.stdin.as_ref().expect("its pipe");
        pipe.write_all(b"again\n").unwrap();
        in_a_runtime(self.wait());
    }

    pub(crate) fn user(&self) -> &str {
        self.admin.get_username()
    }

    /// The socket that it listens on, or the host and the port.
    pub(crate) fn socket(&self) -> Result<PathBuf, (String, u16)> {
        let port = self.admin.get_port();
        let folder = match self.admin.get_socket() {
            Some(folder) => folder.clone(),
            None => return Err((self.admin.get_host().to_owned(), port)),
        };
        Ok(folder.join(format!(".s.PGSQL.{port}")))
    }

    async fn wait(&self) {
        let until = Instant::now() + START;
        while let Err(error) = self.admin.connect().await {
            assert!(
                Instant::now() < until,
                "the server does not answer: {error}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Drops a database of somebody's server. A private one goes with all that is in it, and to drop one takes a checkpoint of all.
    pub(crate) async fn forget(&self, database: &str) {
        if self.keeper.is_none() {
            self.run(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
                .await;
        }
    }

    /// Runs something that concerns no database of a test.
    pub(crate) async fn run(&self, statement: &str) {
        let mut connection = self.admin.connect().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// A new database, migrated and empty; its name.
    pub(crate) async fn create(&self) -> String {
        let name = format!("eyas_test_{}", Uuid::now_v7().simple());
        self.run(&format!("CREATE DATABASE {name} TEMPLATE {}", self.blank))
            .await;
        name
    }

    pub(crate) fn address(&self, database: &str) -> String {
        let (before, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let (base, _) = before.rsplit_once('/').expect("an address with a database");
        format!("{base}/{database}?{query}")
    }
}

fn private() -> (String, Child) {
    let bin = programs();
    let folder = tempfile::Builder::new()
        .prefix("eyas-pg-")
        .tempdir()
        .unwrap()
        .keep();
    let owner = unprivileged(&folder);
    let run = |program: PathBuf| {
        let mut command = Command::new(program);
        // PostgreSQL refuses to run as root.
        if let Some((user, group)) = owner {
            command.uid(user).gid(group);
        }
        command.current_dir(&folder);
        command
    };
    let made = run(bin.join("initdb"))
        .arg("-D")
        .arg(folder.join("data"))
        .args([
            "-U",
            "eyas",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ])
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "initdb: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    let keeper = run("/bin/sh".into())
        .args(["-c", KEEPER, "keeper"])
        .arg(bin.join("postgres"))
        .arg(&folder)
        .args([
            "-c",
            "listen_addresses=",
            "-c",
            "fsync=on",
            "-c",
            "max_connections=300",
        ])
        // A person's Ctrl-C ends the tests; what the pipe says ends the server.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let host = folder.display().to_string().replace('/', "%2F");
    (format!("postgres://eyas@{host}/postgres?"), keeper)
}

/// Where `initdb` and `postgres` are.
fn programs() -> PathBuf {
    found().expect(
        "no `initdb`: install PostgreSQL's server (Debian: `apt install postgresql`), or set EYAS_TEST_POSTGRES_URL to the address of one",
    )
}

/// On the path, or where Debian puts those of the newest version.
pub(super) fn found() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
    let of_debian = || {
        let version = |folder: &PathBuf| -> u32 {
            let name = folder.file_name().and_then(|name| name.to_str());
            name.and_then(|name| name.parse().ok()).unwrap_or(0)
        };
        fs::read_dir("/usr/lib/postgresql")
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|folder| folder.join("bin/initdb").exists())
            .max_by_key(version)
            .map(|folder| folder.join("bin"))
    };
    on_path.or_else(of_debian)
}

/// Whom to run as, if we are root; the folder is theirs then.
fn unprivileged(folder: &Path) -> Option<(u32, u32)> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    if fs::metadata(folder).unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let ids = |name: &str| -> Option<(u32, u32)> {
        let line = users
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let (user, group) = ids("postgres")
        .or_else(|| ids("nobody"))
        .expect("a user to run the server as");
    chown(folder, Some(user), Some(group)).unwrap();
    Some((user, group))
}
