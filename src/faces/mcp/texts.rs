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
memory, for work over days (instance_create, instance_list, instance_control). For one job persona alone is enough.
- Where: the directory this server runs in, unless project names another (project {action:\"list\"}).
- Several at once: delegate each with wait_ms:0, then run_get {ids:[…], until:\"any\"}. Runs that write in one tree take turns; concurrent:true \
lets them not; isolation:\"worktree\" gives each a git worktree of its own.
- Follow-up: delegate {previous: run id} continues that conversation; run_input {id, message} tells a run more while it works.
- States: queued, running, input_required, then succeeded, failed, cancelled or timed_out. `next` in an answer says what to call.
- input_required: the agent asks for a permission or has a question. Show the person requests[] and pass on what they say with run_input; \
never decide it yourself.
- Cancelling a call ends only the wait. run_cancel ends the run.
- A conclusion is the agent's own report: check what matters (status, warnings) before you rely on it. The transcript is the \
resource eyas://runs/{id}/transcript.
- Recurring work, when the person wants it: schedule.
- Names are lower-case words joined by hyphens.";

pub(super) const DELEGATE: &str = "\
Delegate a task to another coding agent as a durable run that outlives the editor. Use it for work of over a minute that is complete in \
itself: review, tests, research, parallel jobs. Not for what takes you a few calls; about a run ask run_get. Answers within wait_ms with the run: id, \
state, step, at its end the conclusion {status, summary, artifacts, questions, changes}. The agent does not see this conversation: put all it needs into \
prompt. Example: {\"prompt\":\"Review branch fix-login; list file:line\",\"persona\":\"reviewer\"}";

pub(super) const RUN_GET: &str = "\
Get a run, waiting up to wait_ms for its end or for a question. Use it after delegate until the run has ended; with ids, wait for any or all of \
several. Not for finding runs: use run_list. Answers with the run (with ids: a page): state, step, conclusion, error, and in `next` what to call. include \
adds parts of the transcript, 16 KB a call; read on with cursor.";

pub(super) const RUN_LIST: &str = "\
List runs, newest first, 20 a page, by state, project, instance or label. Use it to find a lost id or what is under way. Not for waiting: use \
run_get. Answers with a page of shortened runs.";

pub(super) const RUN_INPUT: &str = "\
Say more to a run's agent: message is a further turn, or begins a new run in its conversation when it has ended. Or pass on the person's answer \
when it is input_required: show them the request and its options, never decide a permission yourself. Not for other work: use delegate. Answers within \
2 s with the run and delivery.outcome.";

pub(super) const RUN_CANCEL: &str = "\
Cancel a run: stops its agent's work permanently; changed files stay changed. Use it when the work is not wanted any more. Not needed to stop \
waiting: just stop calling run_get. Answers with the run, which may go on for a moment.";

pub(super) const PERSONA_LIST: &str = "\
List personas: reusable descriptions of who an agent should be. Use it to choose whom to delegate to or to place. Not for placed agents: use \
instance_list. Answers with a page.";

pub(super) const PERSONA_CREATE: &str = "\
Create a persona from nothing, a catalogue persona, or a Claude Code sub-agent file of the project or of ~/.claude/agents. Use it when none of \
persona_list fits and the role will return; for one job put the role into delegate's prompt. Answers with the persona, or name_exists.";

pub(super) const INSTANCE_LIST: &str = "\
List instances: personas placed in a workspace with an agent, with status and health. Use it to find a team member for delegate \
or instance_control. Not for roles: use persona_list. Answers with a page.";

pub(super) const INSTANCE_CREATE: &str = "\
Create an instance: a persona in a workspace of its own, with identity and memory files. Use it for a team member that gets work repeatedly; \
for one job delegate with persona is enough. Answers with the instance, or name_exists, agent_not_found.";

pub(super) const INSTANCE_CONTROL: &str = "\
Start, stop, restart, delete, restore or render an instance. start launches its agent and keeps it warm; stop cancels its runs and refuses \
delegations; delete also moves it to a trash, permanently gone after 30 days; restore brings the last one back; render writes its identity files anew. \
Not for one run: use run_cancel. Answers with the instance.";

pub(super) const PROJECT: &str = "\
List projects, the directories that agents work in, or change one. list finds one for delegate; register adds a directory; activate works in one \
with a warm agent; init when told project_needs_init; stop ends its agents and runs; unregister forgets it, files untouched. Answers with a page for \
list, else the project.";

pub(super) const SCHEDULE: &str = "\
List, create, update, delete or fire schedules: prompts delegated again and again by the calendar. Use it only when the person wants recurring \
work; for one job use delegate. fire begins its run now; delete removes it permanently, its runs stay. Answers with a page for list, the run for \
fire, else the schedule with next_times.";

/// Words for tool search that are not in the name.
pub(super) mod hints {
    pub(in super::super) const DELEGATE: &str = "subagent sub-agent background agent parallel task hand off codex gemini opencode claude review second opinion";
    pub(in super::super) const RUN_GET: &str =
        "wait poll status result conclusion output of a task";
    pub(in super::super) const RUN_LIST: &str =
        "find search history of delegated background tasks jobs";
    pub(in super::super) const RUN_INPUT: &str =
        "approve deny permission question answer reply message steer interrupt a delegated task";
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
        "repository directory workspace register activate init";
    pub(in super::super) const SCHEDULE: &str =
        "cron recurring repeat nightly daily weekly timer calendar automate";
}

/// The API's words for what a model calls by another name, longest first.
const TOOL_NAMES: [(&str, &str); 23] = [
    ("`eyas run get`", "run_get"),
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
    ("schedule list", "schedule {action:\"list\"}"),
    ("project.activate", "project {action:\"activate\"}"),
    ("project.register", "project {action:\"register\"}"),
    ("project.init", "project {action:\"init\"}"),
    ("project.list", "project {action:\"list\"}"),
    ("project.stop", "project {action:\"stop\"}"),
    ("run.delegate", "delegate"),
    ("run.answer", "run_input"),
    ("run.cancel", "run_cancel"),
    ("run.input", "run_input"),
    ("run.list", "run_list"),
    ("run.get", "run_get"),
];

/// A hint of the hub's in the words of the tools.
pub(super) fn in_tool_words(hint: &str) -> String {
    TOOL_NAMES
        .iter()
        .fold(hint.to_owned(), |hint, (api, tool)| hint.replace(api, tool))
}
