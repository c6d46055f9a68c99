//! Lines as the programs print them, shortened.

use super::{Heard, Reader};
use crate::domain::turn_form::{Fields, Output, TurnForm};
use serde_json::Value;

fn reader(output: Output) -> Reader {
    Reader::of(&TurnForm {
        output,
        ..TurnForm::default()
    })
}

fn heard(reader: &mut Reader, lines: &[&str]) -> Vec<Heard> {
    let each = lines.iter();
    each.flat_map(|line| reader.read(line).expect("no junk"))
        .collect()
}

/// Updates in short: what was said, thought, called, planned.
fn short(heard: &[Heard]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    heard
        .iter()
        .map(|heard| match heard {
            Heard::Session(id) => format!("session {id}"),
            Heard::Update(update) => match update["sessionUpdate"].as_str().unwrap_or_default() {
                "tool_call" => format!(
                    "{} {} {} [{}]",
                    text(&update["toolCallId"]),
                    text(&update["kind"]),
                    text(&update["status"]),
                    text(&update["title"])
                ),
                "tool_call_update" => format!(
                    "{} {}",
                    text(&update["toolCallId"]),
                    text(&update["status"])
                ),
                "plan" => format!("plan {}", update["entries"]),
                kind => format!("{kind} {}", text(&update["content"]["text"])),
            },
            Heard::Denied { id } => format!("denied {id}"),
            Heard::Usage(usage) => format!(
                "usage {:?} {:?} {:?} {:?}",
                usage.input_tokens, usage.output_tokens, usage.total_tokens, usage.cost_usd
            ),
            Heard::Trouble(trouble) => format!("trouble {}", trouble.message),
            Heard::Ended {
                stop_reason,
                answer,
            } => format!("ended {stop_reason} {answer:?}"),
            Heard::Failed(trouble) => format!("failed {}", trouble.message),
        })
        .collect()
}

#[test]
fn claude_is_understood() {
    let mut reader = reader(Output::Claude);
    let heard = heard(
        &mut reader,
        &[
            r#"{"type":"system","subtype":"init","cwd":"/p","session_id":"1111","tools":["Bash"],"permissionMode":"default"}"#,
            r#"{"type":"from_the_future","x":1}"#,
            r#"{"type":"assistant","message":{"id":"m1","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"I look."},{"type":"tool_use","id":"t1","name":"Write","input":{"file_path":"/p/a","content":"x"}}]},"parent_tool_use_id":null,"session_id":"1111"}"#,
            r#"{"type":"user","message":{"role":"user","content":[{"tool_use_id":"t1","type":"tool_result","content":"ok"}]}}"#,
            r#"{"type":"assistant","message":{"id":"m2","content":[{"type":"tool_use","id":"t2","name":"Bash","input":{"command":"touch b"}}]},"parent_tool_use_id":null}"#,
            r#"{"type":"system","subtype":"permission_denied","tool_name":"Bash","tool_use_id":"t2"}"#,
            r#"{"type":"user","message":{"content":[{"type":"tool_result","content":"This command requires approval","is_error":true,"tool_use_id":"t2"}]}}"#,
            r#"{"type":"assistant","message":{"id":"m3","content":[{"type":"text","text":"of a subagent"},{"type":"tool_use","id":"t3","name":"Read","input":{}}]},"parent_tool_use_id":"t9"}"#,
            r#"{"type":"assistant","message":{"id":"m4","content":[{"type":"tool_use","id":"t4","name":"TodoWrite","input":{"todos":[{"content":"a","status":"pending"}]}}]},"parent_tool_use_id":null}"#,
            r#"{"type":"result","subtype":"success","is_error":false,"stop_reason":"end_turn","result":"all done","session_id":"1111","total_cost_usd":0.75,"usage":{"input_tokens":66,"cache_creation_input_tokens":10,"cache_read_input_tokens":5,"output_tokens":42},"model_usage_since_last_result":{"m":{"costUSD":0.25}}}"#,
        ],
    );
    assert_eq!(
        short(&heard),
        [
            "session 1111",
            "agent_thought_chunk hm",
            "agent_message_chunk I look.",
            "t1 edit in_progress [Write /p/a]",
            "t1 completed",
            "t2 execute in_progress [touch b]",
            "denied t2",
            "t2 failed",
            "t3 read in_progress [Read]",
            r#"plan [{"content":"a","status":"pending"}]"#,
            "usage Some(66) Some(42) Some(123) Some(0.25)",
            "ended end_turn Some(\"all done\")",
        ]
    );
}

#[test]
fn claude_says_what_went_wrong() {
    let of = |lines: &[&str]| short(&heard(&mut reader(Output::Claude), lines));
    assert_eq!(
        of(&[
            r#"{"type":"assistant","message":{"id":"x","model":"<synthetic>","content":[{"type":"text","text":"Not logged in · Please run /login"}]},"parent_tool_use_id":null,"error":"authentication_failed"}"#,
            r#"{"type":"result","subtype":"success","is_error":true,"result":"Not logged in · Please run /login","usage":{}}"#,
        ]),
        [
            "usage None None None None",
            "failed Not logged in · Please run /login"
        ]
    );
    assert_eq!(
        of(&[
            r#"{"type":"result","subtype":"error_during_execution","is_error":true,"errors":["No conversation found with session ID: 1"]}"#
        ])[1],
        "failed No conversation found with session ID: 1"
    );
    assert_eq!(
        of(&[r#"{"type":"result","subtype":"error_max_turns","is_error":true}"#])[1],
        "ended max_turn_requests None"
    );
}

#[test]
fn codex_is_understood() {
    let heard = heard(
        &mut reader(Output::Codex),
        &[
            r#"{"type":"thread.started","thread_id":"01a2"}"#,
            r#"{"type":"item.completed","item":{"id":"item_0","type":"error","message":"Model metadata for `fake` not found."}}"#,
            r#"{"type":"turn.started"}"#,
            r#"{"type":"item.completed","item":{"id":"r","type":"reasoning","text":"hm"}}"#,
            r#"{"type":"item.started","item":{"id":"item_1","type":"command_execution","command":"/bin/bash -lc 'touch c'","aggregated_output":"","exit_code":null,"status":"in_progress"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_1","type":"command_execution","command":"/bin/bash -lc 'touch c'","exit_code":0,"status":"completed"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_2","type":"file_change","changes":[{"path":"/p/a","kind":"add"}],"status":"failed"}}"#,
            r#"{"type":"item.started","item":{"id":"item_3","type":"mcp_tool_call","server":"eyas_1","tool":"conclude","arguments":{},"status":"in_progress"}}"#,
            r#"{"type":"item.updated","item":{"id":"item_4","type":"todo_list","items":[{"text":"a","completed":true}]}}"#,
            r#"{"type":"item.started","item":{"id":"item_5","type":"agent_message","text":"al"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_5","type":"agent_message","text":"all done"}}"#,
            r#"{"type":"error","message":"Reconnecting... 1/5"}"#,
            r#"{"type":"turn.completed","usage":{"input_tokens":22,"cached_input_tokens":0,"output_tokens":14,"reasoning_output_tokens":0}}"#,
        ],
    );
    assert_eq!(
        short(&heard),
        [
            "session 01a2",
            "agent_thought_chunk hm",
            "item_1 execute in_progress [/bin/bash -lc 'touch c']",
            "item_1 execute completed [/bin/bash -lc 'touch c']",
            "item_2 edit failed [edit /p/a]",
            "item_3 other in_progress [eyas_1.conclude]",
            r#"plan [{"content":"a","status":"completed"}]"#,
            "agent_message_chunk all done",
            "trouble Reconnecting... 1/5",
            "usage Some(22) Some(14) Some(36) None",
            "ended end_turn None",
        ]
    );
    let failed = r#"{"type":"turn.failed","error":{"message":"Missing environment variable"}}"#;
    let heard = reader(Output::Codex).read(failed).expect("a line");
    assert_eq!(short(&heard), ["failed Missing environment variable"]);
}

#[test]
fn gemini_is_understood() {
    let mut gemini = reader(Output::Gemini);
    let heard = heard(
        &mut gemini,
        &[
            r#"{"type":"init","timestamp":"t","session_id":"9999","model":"m"}"#,
            r#"{"type":"message","role":"user","content":"the prompt"}"#,
            r#"{"type":"message","role":"assistant","content":"al","delta":true}"#,
            r#"{"type":"message","role":"assistant","content":"l done","delta":true}"#,
            r#"{"type":"tool_use","tool_name":"write_file","tool_id":"w1","parameters":{"file_path":"a","content":"x"}}"#,
            r#"{"type":"tool_result","tool_id":"w1","status":"success","output":"ok"}"#,
            r#"{"type":"tool_use","tool_name":"run_shell_command","tool_id":"s1","parameters":{"command":"touch b"}}"#,
            r#"{"type":"tool_result","tool_id":"s1","status":"error","error":{"type":"policy_violation","message":"denied"}}"#,
            r#"{"type":"error","severity":"warning","message":"loop"}"#,
            r#"{"type":"error","severity":"error","message":"bad stream"}"#,
            r#"{"type":"result","status":"success","stats":{"total_tokens":20,"input_tokens":12,"output_tokens":8,"cached":0}}"#,
        ],
    );
    assert_eq!(
        short(&heard),
        [
            "session 9999",
            "agent_message_chunk al",
            "agent_message_chunk l done",
            "w1 edit in_progress [write_file a]",
            "w1 completed",
            "s1 execute in_progress [touch b]",
            "denied s1",
            "s1 failed",
            "trouble bad stream",
            "usage Some(12) Some(8) Some(20) None",
            "ended end_turn None",
        ]
    );
    let failed = r#"{"type":"result","status":"error","error":{"type":"ApiError","message":"quota exceeded"},"stats":{}}"#;
    let heard = gemini.read(failed).expect("a line");
    assert_eq!(short(&heard)[1], "failed quota exceeded");
}

#[test]
fn opencode_is_understood() {
    let heard = heard(
        &mut reader(Output::Opencode),
        &[
            r#"{"type":"step_start","sessionID":"ses_1","part":{"type":"step-start"}}"#,
            r#"{"type":"tool_use","sessionID":"ses_1","part":{"type":"tool","tool":"bash","callID":"c1","state":{"status":"error","input":{"command":"touch d"},"error":"The user rejected permission to use this specific tool call."}}}"#,
            r#"{"type":"step_finish","sessionID":"ses_1","part":{"reason":"tool-calls","tokens":{"total":18,"input":11,"output":7},"cost":0}}"#,
            r#"{"type":"tool_use","sessionID":"ses_1","part":{"tool":"write","callID":"c2","state":{"status":"completed","input":{"filePath":"/p/e","content":"x"},"output":"ok"}}}"#,
            r#"{"type":"text","sessionID":"ses_1","part":{"id":"p1","type":"text","text":"all done"}}"#,
            r#"{"type":"step_finish","sessionID":"ses_1","part":{"reason":"stop","tokens":{"total":18,"input":11,"output":7},"cost":0.5}}"#,
        ],
    );
    assert_eq!(
        short(&heard),
        [
            "session ses_1",
            "c1 execute in_progress [touch d]",
            "denied c1",
            "c1 failed",
            "usage Some(11) Some(7) Some(18) None",
            "c2 edit in_progress [write /p/e]",
            "c2 completed",
            "agent_message_chunk all done",
            "usage Some(22) Some(14) Some(36) Some(0.5)",
            "ended end_turn None",
        ]
    );
    let failed = r#"{"type":"error","sessionID":"ses_1","error":{"name":"UnknownError","data":{"message":"Unexpected server error."}}}"#;
    let heard = reader(Output::Opencode).read(failed).expect("a line");
    assert_eq!(
        short(&heard),
        ["session ses_1", "failed Unexpected server error."]
    );
}

#[test]
fn lines_mean_what_the_definition_says() {
    let path = |path: &str| Some(path.to_owned());
    let fields = Fields {
        text: path("message.content.*.text"),
        holds: [("role".to_owned(), "assistant".to_owned())].into(),
        thought: path("thinking.0"),
        session: path("id"),
        result: path("answer"),
        error: path("error.message"),
        stop_reason: path("stop"),
        input_tokens: path("usage.in"),
        cost_usd: path("usage.usd"),
        ..Fields::default()
    };
    let mut lines = Reader::of(&TurnForm {
        output: Output::JsonLines,
        fields,
        ..TurnForm::default()
    });
    let heard = heard(
        &mut lines,
        &[
            r#"{"id":7}"#,
            r#"{"role":"user","message":{"content":[{"text":"the prompt"}]}}"#,
            r#"{"role":"assistant","message":{"content":[{"text":"a"},{"image":1},{"text":"b"}]}}"#,
            r#"{"thinking":["hm","no"]}"#,
            r#"{"nothing":"here"}"#,
            r#"{"answer":"ab","stop":"max_tokens","usage":{"in":3,"usd":0.5}}"#,
        ],
    );
    assert_eq!(
        short(&heard),
        [
            "session 7",
            "agent_message_chunk ab",
            "agent_thought_chunk hm",
            "usage Some(3) None None Some(0.5)",
            "ended max_tokens Some(\"ab\")",
        ]
    );
    let heard = lines.read(r#"{"error":{"message":"no"}}"#).expect("a line");
    assert_eq!(short(&heard)[0], "failed no");
}

#[test]
fn text_is_the_answer_and_other_dialects_know_junk() {
    let mut text = reader(Output::Text);
    let heard = heard(&mut text, &["a", "", "{\"type\":\"result\"}"]);
    assert_eq!(
        short(&heard),
        [
            "agent_message_chunk a\n",
            "agent_message_chunk \n",
            "agent_message_chunk {\"type\":\"result\"}\n"
        ]
    );
    for output in [
        Output::Claude,
        Output::Codex,
        Output::Gemini,
        Output::Opencode,
        Output::JsonLines,
    ] {
        let mut reader = reader(output);
        for junk in [
            "! permission requested: bash; auto-rejecting",
            "[1]",
            "42",
            "{\"a\":",
        ] {
            assert_eq!(reader.read(junk), None, "{output:?} {junk}");
        }
        for nothing in ["", "  ", "{}", r#"{"type":7}"#, r#"{"type":"dream"}"#] {
            assert_eq!(
                reader.read(nothing),
                Some(Vec::new()),
                "{output:?} {nothing}"
            );
        }
    }
}

/// Whatever is missing or of another kind is passed over.
#[test]
fn lines_that_are_half_there_break_nothing() {
    let kinds = [
        "system",
        "assistant",
        "user",
        "result",
        "thread.started",
        "item.completed",
        "turn.completed",
        "turn.failed",
        "error",
        "init",
        "message",
        "tool_use",
        "tool_result",
        "text",
        "step_finish",
    ];
    for output in [
        Output::Claude,
        Output::Codex,
        Output::Gemini,
        Output::Opencode,
    ] {
        for kind in kinds {
            for rest in [
                "",
                r#","message":7,"item":[],"part":"x","error":{},"usage":{"input_tokens":-1}"#,
            ] {
                let line = format!(r#"{{"type":"{kind}"{rest}}}"#);
                assert!(reader(output).read(&line).is_some(), "{output:?} {line}");
            }
        }
    }
}
