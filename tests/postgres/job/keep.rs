//! Where hubs under test keep what they remember: a database of a server, for one of them or for several.

use super::{
    kit::Job,
    oracle::{Seen, all, seen},
};
use crate::store::{
    place::Place,
    server::{Server, in_a_runtime},
};
use sqlx::{ConnectOptions as _, Connection as _, postgres::PgConnectOptions};
use std::str::FromStr as _;

pub(super) struct Keep {
    pub(super) place: Place,
}

impl Keep {
    pub(super) fn new() -> Self {
        Self {
            place: in_a_runtime(Place::new()),
        }
    }

    pub(super) fn on(server: &'static Server) -> Self {
        Self {
            place: in_a_runtime(Place::on(server)),
        }
    }

    /// A home that keeps it there.
    pub(super) fn job(&self) -> Job {
        Job::with(&[("EYAS_STORE_URL", &self.place.url())])
    }

    /// A home of this name whose hub has leases of so many milliseconds.
    pub(super) fn host(&self, name: &str, lease_ms: u32) -> Job {
        self.host_by(name, lease_ms, &self.place.url())
    }

    /// The same, which reaches the database by this address.
    #[expect(clippy::unused_self, reason = "it is one of its homes")]
    pub(super) fn host_by(&self, name: &str, lease_ms: u32, url: &str) -> Job {
        Job::with(&[
            ("EYAS_STORE_URL", url),
            ("EYAS_HOST_NAME", name),
            ("EYAS_TEST_LEASE_MS", &lease_ms.to_string()),
        ])
    }

    /// What is there at one moment; hubs may be at work.
    #[allow(
        clippy::unnecessary_wraps,
        reason = "a file's has the same face, and may not be there yet"
    )]
    pub(super) fn look(&self, _: &Job) -> Option<Seen> {
        Some(self.seen())
    }

    pub(super) fn seen(&self) -> Seen {
        in_a_runtime(async {
            let options = PgConnectOptions::from_str(&self.place.url()).unwrap();
            let mut one = options.connect().await.unwrap();
            sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .execute(&mut one)
                .await
                .unwrap();
            let db = &mut one;
            let seen = seen!(db);
            one.close().await.unwrap();
            seen
        })
    }
}
