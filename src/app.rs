//! Joins the floors: reads the command line, builds a runtime, puts the work under the shell, and turns what came of it into an exit code.

mod detach;
mod doctor;
mod log;
mod store;

use crate::{
    agents::embedded,
    config::{Environment, Flags, Settings},
    domain::{
        caller::{TOKEN_VARIABLE, Token},
        fault::{ErrorKind, Fault},
    },
    faces::{
        self,
        cli::{self, CliContext, InProcess, Job, Terminal, Verb},
        mcp::FaceContext,
        session::Offer,
    },
    hub::{
        self,
        ground::Builder,
        join::{Connection, Started},
        life::Hub,
    },
};
use std::{
    collections::BTreeMap, ffi::OsString, future::Future, path::Path, process::ExitCode, sync::Arc,
    time::Duration,
};
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};

/// What every command is given.
#[derive(Clone)]
struct App {
    settings: Arc<Settings>,
    env: Arc<Environment>,
    in_process: bool,
    json: bool,
}

/// Runs the command that `args` name, the program's own name first.
#[must_use]
pub fn main(args: Vec<OsString>) -> ExitCode {
    let (flags, job) = match cli::parse(args) {
        Ok(parsed) => parsed,
        Err(code) => return code,
    };
    let env = Environment::read();
    match Settings::load(&env, &settings_of(&flags)) {
        Ok(settings) => {
            let (settings, env) = (Arc::new(settings), Arc::new(env));
            let app = App {
                settings,
                env,
                in_process: flags.in_process,
                json: flags.json,
            };
            app.run(job)
        }
        Err(fault) if matches!(job, Job::Doctor) => {
            cli::report(doctor::unset(fault, flags.json), flags.json)
        }
        Err(fault) => cli::report(Err(fault), flags.json),
    }
}

/// What was given on the command line, by the names of `config.toml`.
fn settings_of(flags: &cli::Flags) -> Flags {
    let home = flags
        .home
        .as_ref()
        .map(|home| ("home", home.to_string_lossy().into_owned()));
    let log = match flags.verbose {
        0 => None,
        1 => Some("eyas=info"),
        2.. => Some("debug"),
    };
    let given = home
        .into_iter()
        .chain(log.map(|log| ("log", log.to_owned())));
    Flags(
        given
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<BTreeMap<_, _>>(),
    )
}

/// The work of this binary's hubs.
fn work() -> Builder {
    Builder::new(hub::work::build)
}

/// The same work, which begins with a log: by then the home is ours.
fn logged(work: Builder) -> Builder {
    Builder::new(move |ground| {
        let work = work.clone();
        async move {
            detach::log_to(&ground.settings.logs_dir)?;
            work.build(ground).await
        }
    })
}

impl App {
    fn run(self, job: Job) -> ExitCode {
        if let Job::Hub { detached } = job {
            return self.hub(detached);
        }
        log::to_stderr(self.settings.log.as_deref().unwrap_or("warn"));
        match job {
            Job::Mcp => {
                let context = FaceContext {
                    cwd: self.env.cwd.clone(),
                    home: self.env.home_dir.clone(),
                };
                self.face("mcp", async |connection| {
                    Ok(faces::mcp::serve(connection, context).await)
                })
            }
            Job::Rpc => self.face("rpc", async |connection| {
                faces::rpc::run(&connection, tokio::io::stdin(), tokio::io::stdout()).await?;
                Ok(ExitCode::SUCCESS)
            }),
            Job::SessionTools {
                may_delegate,
                token_file,
            } => self.session_tools(Offer { may_delegate }, token_file.as_deref()),
            Job::EmbeddedAgent => with_runtime(
                &mut runtime::Builder::new_current_thread(),
                self.json,
                async { embedded::serve().await.map(|()| ExitCode::SUCCESS) },
            ),
            Job::Store(verb) => with_runtime(
                runtime::Builder::new_multi_thread().worker_threads(2),
                self.json,
                store::run(verb, &self.settings, &self.env.cwd, self.json),
            ),
            Job::Doctor => self.clone().face("cli", async move |connection| {
                doctor::run(&self.settings, &self.env, &connection, self.json).await
            }),
            Job::Verb(verb) => self.clone().face("cli", async move |connection| {
                self.verb(verb, connection).await
            }),
            // Taken above: it logs elsewhere.
            Job::Hub { .. } => ExitCode::SUCCESS,
        }
    }

    /// What an agent starts for a session: everything it knows of the hub is in its environment, or in a file that the hub wrote for it.
    fn session_tools(&self, offer: Offer, token_file: Option<&Path>) -> ExitCode {
        let token = match token_file {
            Some(file) => std::fs::read_to_string(file)
                .map_err(|error| format!("{} cannot be read: {error}", file.display())),
            None => self
                .env
                .var(TOKEN_VARIABLE)
                .map(str::to_owned)
                .ok_or_else(|| format!("{TOKEN_VARIABLE} is not set")),
        };
        let token = match token {
            Ok(token) => token,
            Err(detail) => {
                let fault = Fault::new(ErrorKind::Forbidden, detail)
                    .hint("only an agent starts this, with what the hub gives it");
                return cli::report(Err(fault), self.json);
            }
        };
        let (settings, env) = (self.settings.clone(), self.env.clone());
        let version = settings.version.clone();
        let connection = Connection::of_session(settings, env, Token(token), &version);
        with_runtime(
            &mut runtime::Builder::new_current_thread(),
            self.json,
            async {
                tokio::select! {
                    code = faces::session::serve(connection, offer) => Ok(code),
                    () = asked_to_end() => Ok(ExitCode::SUCCESS),
                }
            },
        )
    }

    async fn verb(&self, verb: Verb, connection: Connection) -> Result<ExitCode, Fault> {
        let app = self.clone();
        let context = CliContext {
            settings: self.settings.clone(),
            env: self.env.clone(),
            connection,
            in_process: self.in_process,
            open: InProcess(Arc::new(move |home| app.open(home))),
            json: self.json,
            cwd: self.env.cwd.clone(),
            program: self.env.exe.clone(),
            terminal: Terminal::measure(),
        };
        cli::run(verb, &context).await
    }

    /// A hub in this process on another home, which has no settings but the environment's.
    fn open(&self, home: &Path) -> Result<Connection, Fault> {
        let flags = Flags(BTreeMap::from([(
            "home".to_owned(),
            home.to_string_lossy().into_owned(),
        )]));
        let settings = Arc::new(Settings::load(&self.env, &flags)?);
        let version = settings.version.clone();
        Ok(Connection::in_process(
            settings,
            self.env.clone(),
            "cli",
            &version,
            work(),
        ))
    }

    /// A face: one thread, which the hub's own needs are no part of, unless a hub may be in this process.
    fn face<F>(&self, name: &str, run: impl FnOnce(Connection) -> F) -> ExitCode
    where
        F: Future<Output = Result<ExitCode, Fault>>,
    {
        let connection = self.connection(name);
        let mut builder = if self.in_process || name == "cli" {
            runtime::Builder::new_multi_thread()
        } else {
            runtime::Builder::new_current_thread()
        };
        with_runtime(builder.worker_threads(2), self.json, async {
            // A verb has its own answer to Ctrl-C: the run goes on, and it says how to come back.
            let asked = async {
                if name == "cli" {
                    told(SignalKind::terminate()).await;
                } else {
                    asked_to_end().await;
                }
            };
            let done = tokio::select! {
                done = run(connection.clone()) => done,
                () = asked => Ok(ExitCode::SUCCESS),
            };
            tokio::select! {
                () = connection.close() => {}
                () = async { asked_to_end().await; connection.hurry().await; std::future::pending().await } => {}
            }
            done
        })
    }

    fn connection(&self, face: &str) -> Connection {
        let (settings, env) = (self.settings.clone(), self.env.clone());
        let version = settings.version.clone();
        if self.in_process {
            Connection::in_process(settings, env, face, &version, work())
        } else {
            Connection::new(settings, env, face, &version)
        }
    }

    /// The hub itself. Detached, it says on stdout, once, whether it listens; nothing else ever goes there.
    /// One thread: what it does is short and waits for others, and to wake a second thread costs more than most of it. The store writes on
    /// a thread of its own, and what takes long (git, long answers, lists) is done beside.
    fn hub(&self, detached: bool) -> ExitCode {
        log::to_stderr(self.settings.log.as_deref().unwrap_or("info"));
        if detached {
            detach::lead_session();
        }
        with_runtime(
            &mut runtime::Builder::new_current_thread(),
            self.json,
            async {
                let builder = if detached { logged(work()) } else { work() };
                let open = Hub::open(self.settings.clone(), self.env.clone(), &builder).await;
                let hub = match (open, detached) {
                    (Ok(Some(hub)), false) => hub,
                    (Ok(Some(hub)), true) => {
                        detach::say(&Started::Ready)?;
                        hub
                    }
                    (Ok(None), true) => return said(&Started::Taken),
                    (Ok(None), false) => return Err(taken(&self.settings)),
                    (Err(fault), true) => return said(&Started::Failed(fault)),
                    (Err(fault), false) => return Err(fault),
                };
                let ending = hub.ending();
                let signals = async {
                    asked_to_end().await;
                    ending.begin();
                    asked_to_end().await;
                    ending.hurry();
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    () = hub.run() => {}
                    () = signals => {}
                }
                Ok(ExitCode::SUCCESS)
            },
        )
    }
}

fn said(word: &Started) -> Result<ExitCode, Fault> {
    detach::say(word).map(|()| ExitCode::SUCCESS)
}

fn taken(settings: &Settings) -> Fault {
    Fault::new(
        ErrorKind::Busy,
        format!("another process owns the home {}", settings.home.display()),
    )
    .hint("`eyas hub status` shows it")
}

/// Runs to the end, then leaves behind what cannot be ended: a thread that reads stdin.
fn with_runtime<F>(builder: &mut runtime::Builder, json: bool, work: F) -> ExitCode
where
    F: Future<Output = Result<ExitCode, Fault>>,
{
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return cli::report(
                Err(Fault::internal(format!("failed to start: {error}"))),
                json,
            );
        }
    };
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_millis(1));
    cli::report(done, json)
}

/// SIGTERM or SIGINT, from now on.
async fn asked_to_end() {
    tokio::select! {
        () = told(SignalKind::terminate()) => {}
        () = told(SignalKind::interrupt()) => {}
    }
}

async fn told(kind: SignalKind) {
    match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}
