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
//! A delegation travels once down and once up. Whoever wants to read the code reads these, in this order:
//!
//! 1. A face turns a foreign wire into a call of the [`api`]: `faces/mcp/tools/delegate.rs`, `faces/cli/delegate.rs`, or `faces/rpc`, which
//!    only relays. [`hub::join`] finds the hub's socket or starts a hub.
//! 2. In the hub `hub/middleware.rs` decides who is asking ([`hub::caller`]) and checks the parameters; `hub/run/delegate.rs` decides who
//!    works, as whom and where, and `store/sql/runs/accept.rs` puts the run on disk. Only now is it answered; from here on the editor may
//!    go away.
//! 3. `runs/dispatch.rs` claims the run when a turn slot, its session and its tree are free, in the same commit if they are so now: a
//!    lease, and a fence that every later write must show.
//! 4. `runs/attempt.rs` drives it. `hub/supply.rs` briefs it: the agent's definition and environment, and who it is, from [`workspace`] and
//!    [`templates`]. [`agents::pool`] gives a process, warm or started for this attempt by [`agents::process`] below a shim that ends it with
//!    the hub; one that serves on a port or a socket is called there (`agents/dial`). [`agents::acp`] opens a session (`opening.rs`), with tools of ours in it by which the agent reports, asks and delegates
//!    ([`faces::session`]; a badge says whose call it is, [`agents::badge`]), and puts the prompt (`turn.rs`); [`domain::policy`] decides what
//!    the agent may do unasked (`permission.rs`). What a person should say goes to the turn (`petition.rs`, `runs/turn.rs`), becomes a durable
//!    request (`runs/asking.rs`), and is answered by `hub/run/answer.rs`, from whatever face.
//!    An agent without ACP is run once a turn instead ([`agents::cli`]); what it prints is put in the same words.
//! 5. What the agent says comes back as events (`agents/acp/update.rs`), is joined by `runs/pump.rs`, and goes into the log, secrets struck
//!    out by the [`store`]'s redactor. The end of the turn becomes a conclusion ([`runs::conclusion`]); `store/sql/runs/finish.rs` writes it,
//!    and the run is terminal.
//!    What did not do its work is judged by [`domain::retry`] (`runs/retrying.rs`): back to the queue, asked about (`runs/resume.rs`), or ended.
//!    What fails by its agent's fault stands against its class, which is given fewer attempts for a while ([`domain::breaker`]).
//! 6. The commit wakes whoever waits (`runs/watch.rs`, `hub/events.rs`), and the face shows it: `faces/mcp/results.rs`,
//!    `faces/cli/conclusion.rs`; an editor that subscribed is told (`faces/mcp/audience.rs`). Whoever asks later reads the same.
//!
//! A schedule's tick takes the same way from 2 on, with nobody at a face (`hub/schedule/timer.rs`): its run is accepted in the transaction that
//! moves the schedule on.
//!
//! # What holds
//!
//! - A lower floor never learns a higher floor's word. When it must call up, it takes a channel from above. `tests/architecture.rs` reads
//!   the sources and fails otherwise.
//! - Only [`config`] reads the environment; only `store` speaks SQL; only `faces::cli::print` prints.
//! - Nothing but the wire's own messages reaches a face's stdout.
//! - What may change something is on disk before it is allowed; what may be half done is repeated only by a person's word.
//! - A terminal run never changes. A write without the current fence changes nothing.
//! - No process that the hub started outlives the hub, however the hub ends.
//! - Shutdown is one ladder, top floor first, written in [`hub::life`].
//!
//! # Floors, ground first
//!
//! | floor | purpose | may name | owns the crate |
//! | --- | --- | --- | --- |
//! | [`stdx`] | things std might have had | nothing | `tempfile` |
//! | [`domain`] | what things are: plain data, pure decisions; no I/O, no clock, no async | `stdx` | |
//! | [`config`] | the one reader of settings: flags, environment, file | `domain` | |
//! | [`store`] | what is remembered: one trait per aggregate, in SQL; the redactor | `domain` | `sqlx`, `rusqlite` |
//! | [`templates`] | what is written: embedded files and a person's own, rendering | `domain` | `rust-embed`, `handlebars` |
//! | [`workspace`] | where it happens: layout, placing, rendering anew, an instance's one text; what git shows of a tree | `domain`, `templates` | |
//! | [`agents`] | who does it: definitions, processes, ACP, the pool, the agent inside | `domain`, `workspace` | `agent-client-protocol`, `which`, `walkdir`, `reqwest`, `oci-client`, archives |
//! | [`runs`] | how work gets done: dispatch, attempt, conclusion, waiting | `domain`, `store`, `workspace`, `agents` | |
//! | [`api`] | the verbs: one trait per noun, parameter types, error kinds | `domain` | `jsonrpsee` (with `hub`, `faces`) |
//! | [`hub`] | who shares it: serves the API; join, callers, idle, and one desk per noun | all below | `jsonrpsee` |
//! | [`faces`] | how it is spoken to | `domain`, `api`, `hub::join`; `cli` also `config` | `rmcp`, `clap` |
//! | [`app`] | joins the floors | all | |
//!
//! # Words, one meaning each
//!
//! | word | means | never |
//! | --- | --- | --- |
//! | Persona | a reusable description of who an agent should be | a running thing |
//! | Instance | one persona placed in one workspace | an OS process |
//! | Project | a registered directory that agents work in | an instance's workspace |
//! | Agent | a program that speaks ACP, or a CLI that is run once a turn, doing the work | our server; a persona |
//! | Peer | one editor or shell connected to us | the hub's other processes |
//! | Caller | who a peer is: person, session, stray | a user account |
//! | Hub / Endpoint | the process that owns agents and runs / where it listens | |
//! | Face | one way to be spoken to | a transport |
//! | Host / Place | a machine running a hub / where a run's process lives: its host's part in a class key | the editor |
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
//!
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
