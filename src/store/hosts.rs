//! What is remembered of hosts: the machines that share a store.

use super::StoreError;
use crate::domain::{
    host::{Forgotten, Host},
    ids::{HostId, HubId, ProjectId, SessionId},
};
use async_trait::async_trait;

/// What a hub says of its host when it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHost {
    /// Kept in its home.
    pub id: HostId,
    /// As it would be called; another one gets an end to it.
    pub name: String,
    pub home: String,
    /// Tells a home from its copy on another machine.
    pub machine: String,
    pub hub: HubId,
    pub version: String,
    /// Attempts at once.
    pub slots: u32,
    /// A host that was not seen for so long is not there.
    pub lease_ms: i64,
    pub agents: Vec<String>,
    pub default_agent: Option<String>,
}

/// A project of the forgotten host, and the one that its runs go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instead {
    pub from: ProjectId,
    pub to: ProjectId,
}

/// Hosts. A store is of one of them once its hub has entered: what is registered, begun, claimed and recovered by it is of that host.
#[async_trait]
pub trait Hosts: Send + Sync + std::fmt::Debug {
    /// The hub of a host begins; it holds the lock of its home, so an earlier one is dead. `Unfit` where one of the same id lives in another
    /// home: one of the two is a copy.
    async fn enter(&self, host: NewHost) -> Result<Host, StoreError>;
    /// It is there still. `false`: another hub has entered in its place.
    async fn beat(&self, hub: HubId, agents: Vec<String>) -> Result<bool, StoreError>;
    /// It ends in order.
    async fn leave(&self, hub: HubId) -> Result<(), StoreError>;
    /// All of them, by name.
    async fn list(&self) -> Result<Vec<Host>, StoreError>;
    /// By name or id.
    async fn named(&self, name: &str) -> Result<Host, StoreError>;
    /// Where a conversation is, if that is another host than this one.
    async fn elsewhere(&self, session: SessionId) -> Result<Option<Host>, StoreError>;
    /// Whether it begins anything new.
    async fn drain(&self, host: HostId, draining: bool) -> Result<Host, StoreError>;
    /// Gives the queued runs of a host that is gone to another one, where that has their project: by the same path, or as `instead` says.
    /// `Unfit` while it is there, or its leases last.
    async fn forget(
        &self,
        host: HostId,
        to: HostId,
        instead: Vec<Instead>,
    ) -> Result<Forgotten, StoreError>;
    /// Whether other hosts may be there.
    fn shared(&self) -> bool;
}
