//! What stands before a prompt.

use super::conclusion::brief;
use crate::domain::{
    conclusion::Conclusion,
    run::{Continuity, PersonaRoute},
};

/// The persona, for an agent that takes it by no better way: whole at the beginning of a conversation, and in one line when it goes on, as
/// the beginning may have been compacted away. Then what is recalled of a conversation that is lost.
pub(super) fn preamble(
    continuity: Continuity,
    route: Option<PersonaRoute>,
    persona: Option<&str>,
    last: Option<&Conclusion>,
) -> String {
    let goes_on = match continuity {
        Continuity::Live | Continuity::Resumed | Continuity::Loaded => true,
        Continuity::New | Continuity::Recalled => false,
    };
    let mut text = String::new();
    if let (Some(PersonaRoute::PromptBlock), Some(persona)) = (route, persona) {
        let persona = if goes_on {
            "What the beginning of this conversation says of who you are still holds."
        } else {
            persona
        };
        text += &format!("<eyas:persona>\n{persona}\n</eyas:persona>\n\n");
    }
    if let (Continuity::Recalled, Some(last)) = (continuity, last) {
        text += &format!(
            "<eyas:recall>\nThis conversation began in an earlier session, which ended with:\n{}\n</eyas:recall>\n\n",
            last.summary
        );
    }
    text
}

/// How an input is put. `again`: before, in a turn that did not end in order; `interrupting`: the turn before was cancelled for it.
pub(super) fn input(message: &str, again: bool, interrupting: bool) -> String {
    let about = if again {
        "This was put to you before, in a turn that did not end in order: see what is done already, and go on from there."
    } else if interrupting {
        "Your turn before this one was interrupted for what follows."
    } else {
        return message.to_owned();
    };
    format!("<eyas:input>\n{about}\n</eyas:input>\n\n{message}")
}

/// What was said in a conversation that is lost, for an agent that is to go on with its run.
pub(super) fn so_far<'a>(said: impl Iterator<Item = &'a str>) -> String {
    let said: Vec<&str> = said.collect();
    format!(
        "<eyas:earlier>\nThis run began in another conversation, in which the following was asked and worked on. See what is done before you go on.\n\n{}\n</eyas:earlier>\n\n",
        said.join("\n\n")
    )
}

/// What it is told of the place it comes to lead.
pub(super) fn briefing(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| {
        format!("<eyas:briefing>\n{}\n</eyas:briefing>\n\n", text.trim_end())
    })
}

/// How to conclude: whole at the beginning of a conversation, and in one line when it goes on. `by_tool` when the session has Eyas' own
/// tools.
pub(super) fn concluding(continuity: Continuity, by_tool: bool) -> String {
    match continuity {
        Continuity::New | Continuity::Recalled => brief(by_tool),
        Continuity::Live | Continuity::Resumed | Continuity::Loaded => {
            "<eyas:concluding>\nConclude this turn too as the beginning of this conversation says.\n</eyas:concluding>\n\n".to_owned()
        }
    }
}

/// Which tools are its own, for an agent that sees those of other conversations beside them.
pub(super) fn own_tools(server: Option<&str>) -> String {
    server.map_or_else(String::new, |server| {
        format!(
            "<eyas:tools>\nYour tools of Eyas are those whose names contain {server}. Other tools of names with eyas_ belong to other conversations: never call them.\n</eyas:tools>\n\n"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{briefing, input, own_tools, preamble, so_far};
    use crate::{
        domain::run::{
            Continuity::{self, *},
            PersonaRoute::{self, *},
        },
        runs::conclusion::{Seen, conclude},
    };

    fn of(continuity: Continuity, route: Option<PersonaRoute>) -> String {
        let last = conclude("it was done", Seen::default());
        preamble(continuity, route, Some("# Kim"), Some(&last))
    }

    #[test]
    fn the_persona_is_whole_at_first_and_one_line_afterwards() {
        assert_eq!(
            of(New, Some(PromptBlock)),
            "<eyas:persona>\n# Kim\n</eyas:persona>\n\n"
        );
        for goes_on in [Live, Resumed, Loaded] {
            let text = of(goes_on, Some(PromptBlock));
            assert!(text.starts_with("<eyas:persona>\n") && text.contains("still holds"));
            assert!(!text.contains("# Kim") && !text.contains("eyas:recall"));
        }
        assert!(of(Recalled, Some(PromptBlock)).contains("# Kim"));
    }

    #[test]
    fn an_agent_that_takes_it_otherwise_is_told_nothing() {
        for route in [None, Some(SystemPrompt), Some(Meta)] {
            assert_eq!(of(New, route), "");
            assert_eq!(of(Live, route), "");
        }
    }

    #[test]
    fn a_briefing_stands_in_a_block_of_its_own() {
        assert_eq!(briefing(None), "");
        let text = "<eyas:briefing>\nit is large\n</eyas:briefing>\n\n";
        assert_eq!(briefing(Some("it is large\n")), text);
    }

    #[test]
    fn an_input_stands_as_it_is_unless_there_is_something_to_say_of_it() {
        assert_eq!(input("and the tests?", false, false), "and the tests?");
        for (again, interrupting) in [(true, false), (false, true), (true, true)] {
            let text = input("and the tests?", again, interrupting);
            assert!(text.starts_with("<eyas:input>\n"));
            assert!(text.ends_with("</eyas:input>\n\nand the tests?"));
        }
        assert!(so_far(["look", "deeper"].into_iter()).contains("look\n\ndeeper"));
    }

    #[test]
    fn an_agent_that_sees_several_sets_of_tools_is_told_its_own() {
        assert_eq!(own_tools(None), "");
        assert!(own_tools(Some("eyas_0a1b2c3d")).contains(" eyas_0a1b2c3d. "));
    }

    #[test]
    fn a_lost_conversation_is_recalled_by_its_last_conclusion() {
        let text = of(Recalled, None);
        assert!(text.contains("it was done") && text.ends_with("</eyas:recall>\n\n"));
        assert_eq!(preamble(Recalled, None, None, None), "");
    }
}
