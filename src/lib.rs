//! Eyas gives an editor a team of named coding agents.
//!
//! Each agent has a persona and a workspace, stays warm per project, works on durable runs, and reports back a conclusion. One binary is
//! all of it: the face that an editor starts over stdio, the hub behind it, and an agent for a machine that has none.
//!
//! # How it works
//!
//! A **face** (`eyas mcp`, `eyas rpc`, `eyas <noun> <verb>`) holds no state. It joins the **hub**, one process per user and home, and
//! starts it when there is none; all it knows comes through the [`api`], the same on a unix socket and, with `--in-process`, in memory.
//! The hub owns everything that lives longer than an answer: the store, the runs, and the agents' processes.
//!
//! A delegation travels once down and once up:
//!
//! 1. [`faces`] turn a foreign wire into a call of the [`api`]; [`hub`] decides who is asking and checks the parameters.
//! 2. [`runs`] put the run on disk before anything answers. From here on the editor may go away.
//! 3. A dispatcher claims the run when a turn slot is free: a lease, and an attempt number that fences every later write.
//! 4. [`agents`] give a session: of a warm process, or of one started for this attempt. [`workspace`] and [`templates`] say who the agent
//!    is; [`domain::policy`] decides what it may do unasked.
//! 5. What the agent says becomes events in the log of the [`store`]; the end of its turn becomes a conclusion, and the run is terminal.
//! 6. Whoever waits is told; whoever asks later reads the same.
//!
//! # What holds
//!
//! - A lower floor never learns a higher floor's word. When it must call up, it takes a channel from above. `tests/architecture.rs` reads
//!   the sources and fails otherwise.
//! - Only [`config`] reads the environment; only `store` speaks SQL; only `faces::cli::print` prints.
//! - Nothing but the wire's own messages reaches a face's stdout.
//! - A terminal run never changes. A write without the current fence changes nothing.
//! - No process that the hub started outlives the hub, however the hub ends.
//! - Shutdown is one ladder, top floor first, written in [`app`].
//!
//! # Floors, ground first
//!
//! | floor | purpose | may name | owns the crate |
//! | --- | --- | --- | --- |
//! | [`stdx`] | things std might have had | nothing | `tempfile` |
//! | [`domain`] | what things are: plain data, pure decisions; no I/O, no clock, no async | `stdx` | |
//! | [`config`] | the one reader of flags, environment and files | `domain` | `clap` (with `faces::cli`) |
//! | [`store`] | what is remembered: one trait per aggregate | `domain` | `sqlx` |
//! | [`templates`] | what is written: embedded files and a person's own, rendering | `domain` | `rust-embed`, `handlebars` |
//! | [`workspace`] | where it happens: layout, provisioning, inspection | `domain`, `templates` | `walkdir` |
//! | [`agents`] | who does it: definitions, processes, ACP, the pool, the agent inside | `domain`, `workspace` | `agent-client-protocol`, `which` |
//! | [`runs`] | how work gets done: dispatch, attempt, lease, recovery, conclusion | `domain`, `store`, `workspace`, `agents` | |
//! | [`api`] | the verbs: one trait per noun, parameter types, error kinds | `domain` | `jsonrpsee` (with `hub`, `faces`) |
//! | [`hub`] | who shares it: serves the API; join, gate, idle, peers | all below | |
//! | [`faces`] | how it is spoken to | `domain`, `api`, `hub::join`; `cli` also `config` | `rmcp` |
//! | [`app`] | joins the floors | all | |
//!
//! # Words, one meaning each
//!
//! | word | means | never |
//! | --- | --- | --- |
//! | Persona | a reusable description of who an agent should be | a running thing |
//! | Instance | one persona placed in one workspace | an OS process |
//! | Project | a registered directory that agents work in | an instance's workspace |
//! | Agent | a program that speaks ACP, doing the work | our server; a persona |
//! | Peer | one editor or shell connected to us | the hub's other processes |
//! | Caller | who a peer is: person, session, stray | a user account |
//! | Hub / Endpoint | the process that owns agents and runs / where it listens | |
//! | Face | one way to be spoken to | a transport |
//! | Host / Place | a machine running a hub / where a run's process lives | the editor |
//! | Depot | the folder of installed agents | the store, which is the database |
//! | Session | a conversation with an agent | an editor's presence; a login |
//! | Turn | one `session/prompt` until its stop reason | an attempt |
//! | Run / Attempt / Retry | a durable delegation / its n-th try / the decision to try again | |
//! | Task | only MCP's: a run seen through MCP | a run; a tokio task (say loop, actor, worker) |
//! | Lease / Fence / Heart-beat | a timed exclusive claim / the number a writer presents / renewal | a database lock; a liveness probe |
//! | Outcome / Conclusion / Stop reason | how a run ended / what the agent reports / the agent's word for a turn's end | each other |
//! | Warm / Cold | started, initialised, a session ready / started for this attempt | cached |
//! | Effect / Event / Command | asked by a machine of its driver / has happened / is asked | |
//! | Probe / Gate | ask whether it is ready / stop new work, let started work end | heart-beat / lock |
//!
//! Verbs, one per idea: create a persona, place an instance, resolve an agent, launch a process, open, load, resume or close a session,
//! prompt a session, delegate a run, claim, renew or release a lease, cancel a run or turn, stop a process, join a hub, watch a run.
//! *Cancelled* has two l. Times end in `_at`, durations in `_ms`. Ids are newtypes within, strings on a wire.

pub mod agents;
pub mod api;
pub mod app;
pub mod config;
pub mod domain;
pub mod faces;
pub mod hub;
pub mod runs;
pub mod stdx;
pub mod store;
pub mod templates;
pub mod workspace;
