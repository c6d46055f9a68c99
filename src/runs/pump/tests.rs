use super::Pump;
use crate::{agents::acp::TurnEvent, domain::event::EventKind};

fn say(text: &str) -> TurnEvent {
    TurnEvent::Message {
        text: text.to_owned(),
    }
}

#[tokio::test]
async fn chunks_of_a_message_become_one_event() {
    let mut pump = Pump::default();
    assert!(pump.due().is_none());
    pump.push(say("a"));
    pump.push(say("b"));
    pump.push(TurnEvent::Thought {
        text: "c".to_owned(),
    });
    pump.push(say("d"));
    let taken = pump.take();
    let texts: Vec<_> = taken
        .events
        .iter()
        .map(|e| (e.kind, e.data["text"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        texts,
        [
            (EventKind::Message, "ab"),
            (EventKind::Thought, "c"),
            (EventKind::Message, "d")
        ]
    );
    assert_eq!(taken.step.as_deref(), Some("writing its answer"));
    assert!(pump.due().is_none() && pump.take().events.is_empty());
}

#[tokio::test]
async fn half_a_secret_is_not_written_before_the_other_half_came() {
    let texts = |progress: Option<super::Progress>| -> Vec<String> {
        let events = progress.map(|progress| progress.events).unwrap_or_default();
        events
            .iter()
            .filter_map(|event| event.data["text"].as_str().map(str::to_owned))
            .collect()
    };
    let mut pump = Pump::default();
    pump.push(say("first\nmy key is sk-"));
    assert_eq!(texts(pump.take_ripe()), ["first\nmy key is "]);
    assert!(pump.due().is_none(), "nothing to write until more comes");
    pump.push(say("ant-"));
    assert!(texts(pump.take_ripe()).is_empty());
    pump.push(say("123, and half a wo"));
    assert_eq!(texts(pump.take_ripe()), ["sk-ant-123, and half a wo"]);
    assert!(pump.take_ripe().is_none());
    pump.push(say("rd t"));
    assert_eq!(texts(pump.take_ripe()), ["rd "]);
    assert_eq!(texts(Some(pump.take())), ["t"]);
}

/// When an agent that says a word each millisecond is written, by a clock of the test's own: no time passes.
fn writes(words: u32) -> Vec<std::time::Duration> {
    let ms = std::time::Duration::from_millis;
    let begun = tokio::time::Instant::now();
    let mut pump = Pump::default();
    let mut written = Vec::new();
    for n in 0..words {
        let now = begun + ms(n.into());
        let heard = pump.heard.unwrap_or(now);
        pump.push(say("word "));
        (pump.heard, pump.since) = (Some(heard), Some(heard));
        if pump.due().is_some_and(|due| due <= now) {
            let events = pump.take_ripe().expect("it is ripe").events;
            assert_eq!(events.len(), 1, "all words of that time in one event");
            assert!(pump.heard.is_none());
            pump.flushed = Some(now);
            written.push(now - begun);
        }
    }
    written
}

#[tokio::test]
async fn words_are_written_within_50_ms_and_20_times_a_second_at_most() {
    let written = writes(5_000);
    assert_eq!(written[0], super::WORDS_WAIT, "the first ones soon");
    for pair in written.windows(2) {
        assert_eq!(pair[0] + super::FLUSH_EVERY, pair[1]);
    }
    assert!((98..=100).contains(&written.len()), "{}", written.len());
    assert!(super::FLUSH_EVERY.as_millis() * 20 >= 1_000);
}

#[tokio::test]
async fn it_tells_the_tool_in_use_and_the_last_words() {
    let mut pump = Pump::default();
    pump.push(say(&"word ".repeat(200)));
    pump.push(tool("1", "edit a", "pending"));
    let told = pump.take_ripe().unwrap();
    assert_eq!(told.tool, Some(Some("edit a".to_owned())));
    assert!(
        told.said
            .is_some_and(|said| said.len() <= 500 && said.ends_with("word "))
    );
    pump.push(tool("2", "run b", "in_progress"));
    assert_eq!(
        pump.take_ripe().unwrap().tool,
        Some(Some("run b".to_owned()))
    );
    pump.push(tool("2", "run b", "completed"));
    assert_eq!(
        pump.take_ripe().unwrap().tool,
        Some(Some("edit a".to_owned()))
    );
    pump.push(say("so it is sk-abcdefghijklmnopqrstuv, I see "));
    let told = pump.take_ripe().unwrap();
    assert_eq!(told.tool, None, "as it was");
    assert!(
        told.said
            .as_ref()
            .is_some_and(|said| said.ends_with("so it is [redacted], I see "))
    );
    pump.push(tool("1", "", "failed"));
    let told = pump.take_ripe().unwrap();
    assert_eq!((&told.tool, &told.said), (&Some(None), &None));
    pump.put_back(told);
    assert_eq!(pump.take_ripe().unwrap().tool, Some(None));
}

#[tokio::test]
async fn of_a_huge_piece_both_ends_are_kept_and_no_half_of_a_secret() {
    let secret = "sk-abcdefghijklmnopqrstuv";
    // Wherever the cuts are, they are in one of these.
    let middle = format!("{secret} ").repeat(40_000);
    let mut pump = Pump::default();
    pump.push(say(&format!("it begins {middle} and ends.")));
    let events = pump.take().events;
    let text = super::text_of(&events[0]).unwrap();
    assert_eq!(events.len(), 1);
    assert!(text.len() <= super::TEXT_BYTES + 100);
    assert!(text.starts_with("it begins ") && text.ends_with(" and ends."));
    assert!(text.contains("bytes are left out here"));
    assert!(!text.contains("abcdef") && !text.contains("qrstuv"));
}

#[tokio::test]
async fn a_long_message_is_closed_and_no_secret_with_it() {
    let mut pump = Pump::default();
    let line = "my sk-abcdefghijklmnopqrstuv\n";
    let mut all = String::new();
    for _ in 0..2000 {
        pump.push(say(&line[..9]));
        pump.push(say(&line[9..]));
        all += line;
    }
    let events = pump.take().events;
    assert!(events.len() > 2);
    let texts: Vec<&str> = events.iter().filter_map(super::text_of).collect();
    assert_eq!(texts.concat(), all);
    for text in texts {
        assert!(text.len() <= super::MESSAGE_BYTES + 64, "{}", text.len());
        assert!(
            text.starts_with("my ") || text.starts_with("sk-abcdef"),
            "{text}"
        );
    }
}

fn tool(id: &str, title: &str, status: &str) -> TurnEvent {
    TurnEvent::ToolCall {
        id: id.to_owned(),
        title: title.to_owned(),
        kind: "edit".to_owned(),
        status: status.to_owned(),
        locations: Vec::new(),
    }
}

#[tokio::test]
async fn an_update_takes_the_place_of_what_it_updates() {
    let mut pump = Pump::default();
    pump.push(tool("1", "edit a", "pending"));
    pump.push(tool("1", "edit a", "completed"));
    pump.push(tool("2", "edit b", "pending"));
    pump.push(tool("1", "edit a", "failed"));
    for _ in 0..3 {
        pump.push(TurnEvent::Plan {
            entries: Vec::new(),
        });
    }
    let taken = pump.take();
    let seen: Vec<_> = taken
        .events
        .iter()
        .map(|e| e.data["status"].as_str().unwrap_or("plan"))
        .collect();
    assert_eq!(seen, ["completed", "pending", "failed", "plan"]);
    assert_eq!(taken.step.as_deref(), Some("edit a"));
}

#[tokio::test]
async fn what_could_not_be_written_comes_before_what_came_since() {
    let mut pump = Pump::default();
    pump.note(|note| {
        note.pid = Some(1);
        note.warm = Some(false);
    });
    pump.push(say("first"));
    let failed = pump.take();
    pump.push(TurnEvent::Thought {
        text: "second".to_owned(),
    });
    pump.note(|note| note.pid = Some(2));
    pump.put_back(failed);
    assert!(
        pump.due()
            .is_some_and(|due| due > tokio::time::Instant::now())
    );
    let taken = pump.take();
    let kinds: Vec<_> = taken.events.iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [EventKind::Message, EventKind::Thought]);
    assert_eq!((taken.note.pid, taken.note.warm), (Some(2), Some(false)));
    assert_eq!(taken.step.as_deref(), Some("thinking"));
}

#[tokio::test]
async fn a_turn_is_counted_once_though_it_was_not_written_at_first() {
    let mut pump = Pump::default();
    pump.count_turn();
    let taken = pump.take_ripe().expect("it is to be written");
    assert_eq!(taken.turns, 1);
    pump.put_back(taken);
    pump.count_turn();
    assert_eq!((pump.take().turns, pump.take().turns), (2, 0));
}
