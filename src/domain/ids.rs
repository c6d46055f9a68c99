//! Typed ids: UUIDv7 within, hyphenated strings on every wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

id!(
    /// One durable delegation.
    RunId
);
id!(
    /// One conversation with an agent, as Eyas counts it (never the agent's own session id).
    SessionId
);
id!(
    /// One persona placed in one workspace.
    InstanceId
);
id!(
    /// One registered directory.
    ProjectId
);
id!(
    /// One delegation that is made again and again, by the calendar.
    ScheduleId
);
id!(
    /// One life of a hub: random at every start, and the holder of its leases.
    HubId
);
id!(
    /// One machine with a home: the same through all lives of its hub.
    HostId
);
id!(
    /// One connection of a face to the hub.
    PeerId
);
