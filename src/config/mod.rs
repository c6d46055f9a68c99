//! The one reader of flags, environment and files. What it reads is handed on as [`Settings`] and [`Environment`]; no other floor looks
//! at `std::env` or at a home of its own accord.

mod environment;
mod file;
mod keys;
mod layout;
pub mod project_file;
mod resolve;
mod settings;
mod store_url;

pub use environment::Environment;
pub use resolve::{Origin, Shown};
pub use settings::{
    AgentSettings, ColdSettings, DepotSettings, Flags, HubSettings, LimitSettings, Origins,
    Overflow, PolicySettings, RunSettings, Settings, WarmSettings,
};
pub use store_url::StoreUrl;
