//! What models read: instructions, descriptions, search hints. A description says what the tool does, when to use it and when not, what
//! comes back and its limits, in 80 to 1,000 characters.

/// In `initialize` and `server/discover`. The first 300 characters are enough alone; nothing in it changes from call to call.
pub(super) const INSTRUCTIONS: &str = "\
Eyas runs a team of named coding agents for you. Loop: 1) delegate {prompt, persona or instance}: starts a durable run and answers within 2 s \
with its conclusion or its id; 2) run_get {id, wait_ms:20000} until state is terminal; 3) read conclusion.summary. Runs survive the editor.

When to delegate: work of more than a minute that is complete in itself (review a diff, write tests, investigate a bug, refactor a module), \
work for another agent or model, work in parallel. When not: what you can do yourself in a few tool calls.

- A prompt must be complete in itself: the agent sees the project, not this conversation. Say what is wanted, where, and when it is done.
- Who: persona = who the agent is (persona_list shows them, persona_create adds one); instance = a persona placed in a workspace with its own \
memory, for work that goes on over days (instance_create, instance_list, instance_control). For one job persona alone is enough.
- Where: the directory this server runs in, unless project names another (project {action:\"list\"}).
- Several at once: delegate each with wait_ms:0, then run_get {ids:[…], until:\"any\"}. Runs that write in one tree take turns; concurrent:true \
lets them not.
- Follow-up: delegate {previous: run id} continues that conversation with the agent.
- States: queued, running, input_required (a person must answer), then succeeded, failed, cancelled or timed_out. Each answer says what to \
call next in `next`.
- Cancelling a call ends only the wait. run_cancel ends the run.
- A conclusion is the agent's own report: check what matters (conclusion.status, warnings) before you rely on it. The transcript is the \
resource eyas://runs/{id}/transcript.
- Names are lower-case words joined by hyphens.";

pub(super) const DELEGATE: &str = "\
Delegate a task to another coding agent as a durable run that goes on even if the editor closes. Use it for work of more than a minute that is \
complete in itself: review, tests, research, debugging, refactoring, a second opinion from another model, or several jobs in parallel. Not for what \
you can do in a few calls yourself; to ask about a run that exists use run_get. Waits up to wait_ms, then answers with the run: id, state, current \
step, and when it has ended the conclusion {status, summary, artifacts, questions}. Still running? Call run_get with the id. The agent does not see \
this conversation: put everything it needs into prompt. Example: {\"prompt\":\"Review the diff of branch fix-login against main for security \
faults; list file:line and severity\",\"persona\":\"reviewer\"}";

pub(super) const RUN_GET: &str = "\
Get a run, waiting up to wait_ms for it to end or to need input. Use it after delegate until the state is succeeded, failed, cancelled or timed_out; \
give ids and until to wait for the first or all of several. Not for finding runs: use run_list. Answers with the run (with ids: a page of runs): \
state, current step, conclusion, error, and in `next` what to call next. The transcript is left out: ask for parts with include, at most 16 KB a \
call, and read on with cursor.";

pub(super) const RUN_LIST: &str = "\
List runs, newest first, 20 a page, narrowed by state, project, instance or label. Use it to find a run whose id you lost, or to see what is under \
way or has ended. Not for waiting: use run_get with the id. Answers with a page {items, next_cursor} of runs with prompts and conclusions shortened; \
run_get shows one in full.";

pub(super) const RUN_CANCEL: &str = "\
Cancel a run: stops its agent's work permanently, it cannot be resumed. Use it when the work is no longer wanted or has gone wrong; what the agent \
has changed in the files stays. Not needed to stop waiting: just stop calling run_get. Answers with the run; it may be running for a moment longer, \
and a run that has ended is answered as it is.";

pub(super) const PERSONA_LIST: &str = "\
List personas: reusable descriptions of who an agent should be, such as reviewer, architect or test-engineer. Use it to choose whom to delegate to \
or to place. Not for placed agents with a workspace of their own: use instance_list. Answers with a page {items, next_cursor}; system prompts are \
shortened, the resource eyas://personas/{id} has one in full.";

pub(super) const PERSONA_CREATE: &str = "\
Create a persona in the person's home, from nothing, from a catalogue persona, or from a Claude Code sub-agent file (.md with front matter, below \
the project or ~/.claude/agents). Use it when no persona of persona_list fits and the role will be used again; for one job write the role into the \
prompt of delegate instead. Fields given here override those of `from`. Answers with the persona; an id that exists is refused as name_exists.";

pub(super) const INSTANCE_LIST: &str = "\
List instances: personas placed in a workspace with an agent, with status and health. Use it to find the name of a standing team member for delegate \
or instance_control. Not for the catalogue of roles: use persona_list. Answers with a page {items, next_cursor}, ordered by name.";

pub(super) const INSTANCE_CREATE: &str = "\
Create an instance: place a persona in a workspace of its own with identity and memory files, under a unique name. Use it for a team member that \
will get work repeatedly; for a single job delegate with persona is enough. With dry_run nothing is written and files shows what would be. Answers \
with the instance; an existing name is refused as name_exists, an agent that is not installed as agent_not_found with the command that installs it.";

pub(super) const INSTANCE_CONTROL: &str = "\
Start, stop, restart, delete, restore or render an instance by name. start launches its agent and keeps it warm; stop cancels its runs, and \
delegations are refused until start; delete stops it, cancels its runs and moves it to a trash kept 30 days, after which it is gone permanently; \
restore brings the last deleted one back; render writes its identity files anew and keeps a person's edits aside. Not for a single run: use \
run_cancel. Answers with the instance.";

pub(super) const PROJECT: &str = "\
List, register, rename or unregister projects: the directories that agents work in. Use list to find the project for delegate, register to add \
another directory than the one this server runs in (that one is registered by the first delegate). unregister forgets a project, its files are not \
touched; it is refused while runs are open. Answers with a page {items, next_cursor} for list, else with the project and its live state.";

/// Words for tool search that are not in the name.
pub(super) mod hints {
    pub(in super::super) const DELEGATE: &str = "subagent sub-agent background agent parallel task hand off assign codex gemini opencode claude review second opinion";
    pub(in super::super) const RUN_GET: &str =
        "wait poll status result conclusion output of a delegated background task";
    pub(in super::super) const RUN_LIST: &str =
        "find search history of delegated background tasks jobs";
    pub(in super::super) const RUN_CANCEL: &str =
        "stop abort kill interrupt delegated background task";
    pub(in super::super) const PERSONA_LIST: &str =
        "roles experts specialists catalogue who can review architect test";
    pub(in super::super) const PERSONA_CREATE: &str =
        "new role expert system prompt import claude agents file";
    pub(in super::super) const INSTANCE_LIST: &str = "team members agents placed running status";
    pub(in super::super) const INSTANCE_CREATE: &str =
        "new team member place agent workspace spawn hire";
    pub(in super::super) const INSTANCE_CONTROL: &str =
        "start stop restart delete restore agent team member";
    pub(in super::super) const PROJECT: &str =
        "repository directory workspace register list rename unregister";
}

/// The API's words for what a model calls by another name, longest first.
const TOOL_NAMES: [(&str, &str); 16] = [
    ("instance.control", "instance_control"),
    ("instance.restart", "instance_control {action:\"restart\"}"),
    ("instance.restore", "instance_control {action:\"restore\"}"),
    ("instance.delete", "instance_control {action:\"delete\"}"),
    ("instance.create", "instance_create"),
    ("instance.start", "instance_control {action:\"start\"}"),
    ("instance.list", "instance_list"),
    ("instance.get", "instance_list"),
    ("persona.create", "persona_create"),
    ("persona.list", "persona_list"),
    ("project.register", "project {action:\"register\"}"),
    ("project.list", "project {action:\"list\"}"),
    ("run.delegate", "delegate"),
    ("run.cancel", "run_cancel"),
    ("run.list", "run_list"),
    ("run.get", "run_get"),
];

/// A hint of the hub's in the words of the tools.
pub(super) fn in_tool_words(hint: &str) -> String {
    TOOL_NAMES
        .iter()
        .fold(hint.to_owned(), |hint, (api, tool)| hint.replace(api, tool))
}
