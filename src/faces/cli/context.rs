//! What a verb needs of the process around it.

use super::{print, terminal::Terminal};
use crate::{
    api,
    config::{Environment, Settings},
    domain::fault::Fault,
    hub::join::Connection,
};
use jsonrpsee::core::client::{Client, Error as ClientError};
use serde::Serialize;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Serves the API inside this process on a home of its own, for `eyas demo`.
#[derive(Clone)]
pub struct InProcess(pub Arc<Opener>);

/// From the path of a home to a hub there.
type Opener = dyn Fn(&Path) -> Result<Connection, Fault> + Send + Sync;

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

/// Everything a verb may look at; handed down by the top floor.
#[derive(Clone, Debug)]
pub struct CliContext {
    pub settings: Arc<Settings>,
    pub env: Arc<Environment>,
    /// To the person's own hub.
    pub connection: Connection,
    /// That hub lives and ends with this process.
    pub in_process: bool,
    /// Opens another hub, in this process, on a given home.
    pub open: InProcess,
    /// Answers are printed as JSON.
    pub json: bool,
    /// Absolute path of the directory the command was typed in.
    pub cwd: PathBuf,
    /// Absolute path of this binary, for text that a person will paste elsewhere.
    pub program: PathBuf,
    pub terminal: Terminal,
}

impl CliContext {
    pub(super) async fn client(&self) -> Result<Arc<Client>, Fault> {
        self.connection.client().await
    }

    /// Prints an answer: the object itself, or words for a person.
    pub(super) fn show<T: Serialize>(
        &self,
        answer: &T,
        words: impl FnOnce() -> String,
    ) -> Result<(), Fault> {
        if self.json {
            print::json(answer)
        } else {
            print::out(&words())
        }
    }

    /// A project as typed: what looks like a path is made absolute here, as the hub's directory is another one.
    pub(super) fn project(&self, typed: &str) -> String {
        if typed.contains('/') || typed == "." || typed == ".." {
            self.cwd.join(typed).to_string_lossy().into_owned()
        } else {
            typed.to_owned()
        }
    }
}

/// An answer of the API's client in our words.
pub(super) fn heard<T>(answer: Result<T, ClientError>) -> Result<T, Fault> {
    answer.map_err(|error| api::fault::from_client(&error))
}
