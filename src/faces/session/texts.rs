//! What the agent's model reads: what each tool is for, when to call it and when not, and what comes back.

/// In `initialize` and `server/discover`.
pub(super) const INSTRUCTIONS: &str = "\
You work on a run that somebody delegated to you through Eyas. These tools are your line to them; the chat is not read while you work.

- conclude {status, summary, …}: call it once, at the end, when the work is done or cannot go on, then end your turn. It is what they read. \
Called again, the last call wins. Say only what you did and saw: cited files are checked.
- report_progress {text}: one short line when a longer part of the work begins. Not needed for short work.
- ask {question, choices, default}: only for a decision that you cannot take and that changes the result. It waits for a person, who may be away: \
give a default and go on with it when nobody answers.";

/// The same, for a role that may delegate.
pub(super) const DELEGATING: &str = "
- delegate {prompt, …}: gives a part of the work, complete in itself, to another agent; delegate {run} waits for one that you began. Read what \
comes back before you cite it in your own conclusion.";

pub(super) const CONCLUDE: &str = "\
Report how your run ended. Call it once, as the last thing you do, whether the work is done, half done or impossible; then end your turn. Called again, \
the last call wins. Not for progress: use report_progress. summary is what the person who delegated reads instead of this conversation, so put the \
answer itself there. Files in artifacts are looked up, and a success that cites missing ones is lowered to partial. Answers with the run it was \
noted for.";

pub(super) const REPORT_PROGRESS: &str = "\
Say in one line what you are doing now, for whoever watches the run. Use it when a part of the work begins that takes a minute or more; at most every \
half minute or so. Not for results: those go into conclude. Answers at once.";

pub(super) const ASK: &str = "\
Ask the person behind this run a question and wait for the answer. Use it only for a decision that you cannot take yourself and that changes the \
result; put everything needed to decide into question and detail. Not for permissions, which are asked for by themselves, and not for what a file or a \
command can tell you. Waits until it is answered or timeout_ms is over, minutes perhaps; then the default holds, if you gave one. Answers with \
{answered, option, text}.";

pub(super) const DELEGATE: &str = "\
Give a part of your work to another agent as a run of its own, below yours, or wait again for one that you began. Use it for parts that are complete in \
themselves and can go on side by side; give each its own prompt, as the agent sees the project and not this conversation. Not for what you can do \
yourself in a few steps. Give prompt to begin one, with previous to go on in the conversation of one that you began, or run to wait for one. Waits up to wait_ms, then answers with its id, state, and when it has ended \
its conclusion; while it goes on, call delegate {run} again. If your run is cancelled or times out, so is what \
is still open below it; what is open when you conclude goes on.";
