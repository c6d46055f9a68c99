//! `host.*`: the machines that share a store. With a file there is one.

use super::hub::Nothing;
use crate::domain::{
    fault::Fault,
    host::{Forgotten, Host},
    page::Page,
};
use jsonrpsee::proc_macros::rpc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether a host begins anything new.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostDrain {
    /// Name or id.
    pub host: String,
    /// It takes work again.
    #[serde(default)]
    pub off: bool,
}

/// A host that is gone for good.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostForget {
    /// Name or id.
    pub host: String,
    /// Name or id of the host that gets its queued runs.
    pub to: String,
    /// Where a project is not at the same path there: by the forgotten host's project (name, id or path) the other host's (name, id or path).
    #[serde(default)]
    pub projects: BTreeMap<String, String>,
}

/// Verbs on hosts.
#[rpc(server, client, namespace = "host", namespace_separator = ".")]
pub trait HostApi {
    /// All hosts: there are few, one page holds them.
    #[method(name = "list")]
    async fn list(&self, params: Nothing) -> Result<Page<Host>, Fault>;
    /// Has a host begin nothing new, and finish what it has; or take work again. For a person alone.
    #[method(name = "drain", with_extensions)]
    async fn drain(&self, params: HostDrain) -> Result<Host, Fault>;
    /// Gives the queued runs of a host that is gone to another one. For a person alone.
    #[method(name = "forget", with_extensions)]
    async fn forget(&self, params: HostForget) -> Result<Forgotten, Fault>;
}
