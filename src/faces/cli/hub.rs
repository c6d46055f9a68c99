//! `eyas hub status|stop|restart`: the hub from outside. `eyas hub run` is the hub itself, in `app`.

use crate::{
    api::fault::from_client,
    api::hub::{HubApiClient as _, HubShutdown, HubView, Nothing},
    domain::fault::Fault,
    hub::join::Connection,
};

/// The hub as it is; `None` when there is none. Starts none.
///
/// # Errors
/// Those of [`Connection::peek`].
pub async fn status(connection: &Connection) -> Result<Option<HubView>, Fault> {
    connection.peek().await
}

/// Ends the hub and waits until it has; `false` when there was none.
///
/// # Errors
/// `busy` naming the runs, unless `how` says what to do with them.
pub async fn stop(connection: &Connection, how: HubShutdown) -> Result<bool, Fault> {
    connection.end_hub(how).await
}

/// Ends the hub, if there is one, and starts another.
///
/// # Errors
/// As [`stop`], and those of starting one.
pub async fn restart(connection: &Connection, how: HubShutdown) -> Result<HubView, Fault> {
    connection.end_hub(how).await?;
    let client = connection.client().await?;
    client
        .info(Nothing {})
        .await
        .map_err(|error| from_client(&error))
}
