//! What an agent is told about concluding, and how its echo is known.

use std::sync::LazyLock;

/// The form of a block. Every value is a placeholder, so that what somebody repeats of it is never a report.
const FORM: &str = "\
status: ‹one of: success, partial, failed, blocked›
summary: |
  ‹what you did and found, for a reader who sees nothing else›
artifacts:
  - ‹path of a file that you wrote or that matters›
questions:
  - ‹what you could not decide›
follow_up: ‹what should be done next›
confidence: ‹0.0 to 1.0›";

static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| squeezed(FORM));

/// Stands before the first prompt of a conversation.
pub(in crate::runs) fn brief(by_tool: bool) -> String {
    let how = if by_tool {
        "When you have finished, and before your last words, report by the tool `conclude` of the MCP server named eyas: status, summary, \
         artifacts, and where they apply questions, follow_up and confidence. Called again, the last report holds. Should the tool not be \
         there, end your answer with the block below instead."
    } else {
        "End your answer with exactly one block of this form, with everything between ‹ and › replaced; leave out a line that has nothing \
         to say."
    };
    format!(
        "<eyas:concluding>\n{how}\n\n<eyas:conclusion>\n{FORM}\n</eyas:conclusion>\n\nThe status is compared with how the run ends, and cited \
         files must exist.\n</eyas:concluding>\n\n"
    )
}

/// Our own form, however it was wrapped.
pub(super) fn is_echo(body: &str) -> bool {
    body.len() < 4 * FORM.len() && squeezed(body) == *WORDS
}

/// What stands where an answer should: `‹…›`, `<concise summary>`, `...`.
pub(super) fn is_placeholder(text: &str) -> bool {
    let text = text.trim().trim_matches(['"', '\'', '`']);
    let within = |open: char, close: char| text.starts_with(open) && text.ends_with(close);
    let dots = !text.is_empty() && text.chars().all(|letter| matches!(letter, '.' | '…'));
    let angle = within('<', '>') && text.matches('<').count() == 1 && text.len() > 2;
    dots || angle || within('‹', '›')
}

fn squeezed(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
