//! Joins the floors: reads the command line, builds a runtime, puts the work under the shell, and turns what came of it into an exit code.

mod arguments;
mod detach;
mod log;

use crate::{
    api::hub::HubShutdown,
    config::{Environment, Settings},
    domain::fault::{ErrorKind, Fault},
    faces,
    hub::{
        ground::{Builder, NoWork, Served},
        join::{Connection, Started},
        life::Hub,
    },
};
use arguments::{Arguments, Command, HubCommand};
use std::{
    ffi::OsString, future::Future, io::Write as _, process::ExitCode, sync::Arc, time::Duration,
};
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};

/// What every command is given.
struct App {
    settings: Arc<Settings>,
    env: Arc<Environment>,
    in_process: bool,
}

/// Runs the command that `args` name, the program's own name first.
#[must_use]
pub fn main(args: Vec<OsString>) -> ExitCode {
    let arguments = match Arguments::read(args) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let env = Environment::read();
    match Settings::load(&env, &arguments.flags()) {
        Ok(settings) => {
            let app = App {
                settings: Arc::new(settings),
                env: Arc::new(env),
                in_process: arguments.in_process,
            };
            app.run(arguments.command)
        }
        Err(fault) => failed(&fault),
    }
}

/// The work of this binary's hubs.
fn work() -> Builder {
    Builder::new(|_ground| async {
        Ok(Served {
            methods: jsonrpsee::Methods::new(),
            work: Arc::new(NoWork),
        })
    })
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
    fn run(self, command: Command) -> ExitCode {
        let command = match command {
            Command::Hub { verb: None } => return self.hub(false),
            Command::Hub {
                verb: Some(HubCommand::Run { detached }),
            } => return self.hub(detached),
            command => command,
        };
        log::to_stderr(self.settings.log.as_deref().unwrap_or("warn"));
        match command {
            Command::Rpc => self.face("rpc", |connection| async move {
                faces::rpc::run(&connection, tokio::io::stdin(), tokio::io::stdout()).await
            }),
            Command::Config { json } => {
                let shown = if json {
                    format!("{}\n", faces::cli::config::json(&self.settings))
                } else {
                    faces::cli::config::text(&self.settings)
                };
                print(&shown)
            }
            Command::Hub { verb } => self.face("cli", |connection| hub_verb(connection, verb)),
        }
    }

    /// A face: one thread, which the hub's own needs are no part of, unless the hub is in this process.
    fn face<F>(&self, name: &str, run: impl FnOnce(Connection) -> F) -> ExitCode
    where
        F: Future<Output = Result<(), Fault>>,
    {
        let connection = self.connection(name);
        let mut builder = if self.in_process {
            runtime::Builder::new_multi_thread()
        } else {
            runtime::Builder::new_current_thread()
        };
        with_runtime(builder.worker_threads(2), async {
            let done = tokio::select! {
                done = run(connection.clone()) => done,
                () = asked_to_end() => Ok(()),
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
    fn hub(&self, detached: bool) -> ExitCode {
        log::to_stderr(self.settings.log.as_deref().unwrap_or("info"));
        if detached {
            detach::lead_session();
        }
        with_runtime(
            runtime::Builder::new_multi_thread().worker_threads(2),
            async {
                let builder = if detached { logged(work()) } else { work() };
                let open = Hub::open(self.settings.clone(), self.env.clone(), &builder).await;
                let hub = match (open, detached) {
                    (Ok(Some(hub)), false) => hub,
                    (Ok(Some(hub)), true) => {
                        detach::say(&Started::Ready)?;
                        hub
                    }
                    (Ok(None), true) => return detach::say(&Started::Taken),
                    (Ok(None), false) => return Err(taken(&self.settings)),
                    (Err(fault), true) => return detach::say(&Started::Failed(fault)),
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
                Ok(())
            },
        )
    }
}

async fn hub_verb(connection: Connection, verb: Option<HubCommand>) -> Result<(), Fault> {
    let shown = match verb {
        Some(HubCommand::Status) => match faces::cli::hub::status(&connection).await? {
            Some(view) => serde_json::to_string_pretty(&view).map_err(Fault::internal)?,
            None => "no hub is running".to_owned(),
        },
        Some(HubCommand::Stop { wait, now }) => {
            match faces::cli::hub::stop(&connection, HubShutdown { now, wait }).await? {
                true => "the hub has ended".to_owned(),
                false => "no hub is running".to_owned(),
            }
        }
        Some(HubCommand::Restart { wait, now }) => {
            let view = faces::cli::hub::restart(&connection, HubShutdown { now, wait }).await?;
            serde_json::to_string_pretty(&view).map_err(Fault::internal)?
        }
        // `App::run` has taken it before there was a connection.
        Some(HubCommand::Run { .. }) | None => return Ok(()),
    };
    print(&format!("{shown}\n"));
    Ok(())
}

fn taken(settings: &Settings) -> Fault {
    Fault::new(
        ErrorKind::Busy,
        format!("another process owns the home {}", settings.home.display()),
    )
    .hint("`eyas hub status` shows it")
}

/// Runs to the end, then leaves behind what cannot be ended: a thread that reads stdin.
fn with_runtime<F>(builder: &mut runtime::Builder, work: F) -> ExitCode
where
    F: Future<Output = Result<(), Fault>>,
{
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&Fault::internal(format!("failed to start: {error}"))),
    };
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_millis(1));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => failed(&fault),
    }
}

/// SIGTERM or SIGINT, from now on.
async fn asked_to_end() {
    let (Ok(mut term), Ok(mut int)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

/// A reader that went away is no failure.
fn print(text: &str) -> ExitCode {
    drop(std::io::stdout().write_all(text.as_bytes()));
    ExitCode::SUCCESS
}

fn failed(fault: &Fault) -> ExitCode {
    let hint = fault.hint.as_ref().map(|hint| format!("\n  {hint}"));
    let text = format!("eyas: {fault}{}\n", hint.unwrap_or_default());
    drop(std::io::stderr().write_all(text.as_bytes()));
    ExitCode::FAILURE
}
