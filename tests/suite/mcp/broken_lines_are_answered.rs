use super::pipe::Pipe;
use serde_json::{Value, json};

async fn refused(pipe: &mut Pipe, line: &str) -> (Value, Value) {
    pipe.write(format!("{line}\n").as_bytes()).await;
    let answer = pipe.hear().await;
    (answer["error"]["code"].clone(), answer["id"].clone())
}

#[tokio::test]
async fn what_is_no_message_is_refused_and_the_next_one_served() {
    let mut pipe = Pipe::greeted().await;
    for (line, code, id) in [
        ("{bad", -32700, Value::Null),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pi",
            -32700,
            Value::Null,
        ),
        ("nonsense", -32700, Value::Null),
        ("[1,", -32700, Value::Null),
        ("[]", -32600, Value::Null),
        (
            "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]",
            -32600,
            Value::Null,
        ),
        ("5", -32600, Value::Null),
        ("\"ping\"", -32600, Value::Null),
        ("{}", -32600, Value::Null),
        ("{\"id\":7,\"method\":\"ping\"}", -32600, json!(7)),
        (
            "{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"ping\"}",
            -32600,
            json!(7),
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}",
            -32600,
            Value::Null,
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"ping\"}",
            -32600,
            Value::Null,
        ),
        ("{\"jsonrpc\":\"2.0\",\"id\":8}", -32600, json!(8)),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":5}",
            -32600,
            Value::Null,
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/call\",\"params\":[1]}",
            -32602,
            json!(9),
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/call\",\"params\":{}}",
            -32602,
            json!(9),
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/call\",\"params\":{\"name\":\"delegate\",\"arguments\":7}}",
            -32602,
            json!(9),
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"resources/read\",\"params\":{}}",
            -32602,
            json!(9),
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"prompts/get\"}",
            -32602,
            json!(9),
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"no/such\"}",
            -32601,
            json!(9),
        ),
    ] {
        assert_eq!(refused(&mut pipe, line).await, (json!(code), id), "{line}");
    }
    pipe.write(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}\n")
        .await;
    assert_eq!(pipe.hear().await["error"]["code"], -32700);
    assert!(pipe.ask("tools/list", json!({})).await["result"].is_object());
}

#[tokio::test]
async fn odd_line_ends_blanks_marks_and_answers_are_taken() {
    let mut pipe = Pipe::new().await;
    pipe.write(b"\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r\n\r\n\n   \n")
        .await;
    assert_eq!(pipe.hear().await["id"], 1);
    pipe.write(b"{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}\n{\"jsonrpc\":\"2.0\",\"id\":6,\"error\":{\"code\":1,\"message\":\"x\"}}\n")
        .await;
    pipe.write(b" {\"jsonrpc\":\"2.0\",\"id\":2,").await;
    tokio::task::yield_now().await;
    pipe.write(b"\"method\":\"ping\"}\n").await;
    assert_eq!(pipe.hear().await["id"], 2);
}

#[tokio::test]
async fn a_line_beyond_64_mib_is_refused_and_skipped() {
    let mut pipe = Pipe::new().await;
    let block = vec![b'x'; 1 << 20];
    pipe.write(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"")
        .await;
    for _ in 0..64 {
        pipe.write(&block).await;
    }
    pipe.write(b"\"}\n").await;
    let answer = pipe.hear().await;
    assert_eq!(answer["error"]["code"], -32600, "{answer}");
    assert_eq!(answer["id"], Value::Null);
    assert_eq!(pipe.ask("ping", json!({})).await["result"], json!({}));
}

#[tokio::test]
async fn an_unknown_tool_is_an_error_of_the_protocol() {
    let mut pipe = Pipe::greeted().await;
    let answer = pipe
        .ask("tools/call", json!({"name": "delegat", "arguments": {}}))
        .await;
    assert_eq!(answer["error"]["code"], -32602);
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .contains("\"delegate\"")
    );
}

#[tokio::test]
async fn too_many_open_requests_are_refused() {
    let mut pipe = Pipe::greeted().await;
    let mut lines = String::new();
    for id in 0..1100 {
        lines += &format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\"params\":{{\"name\":\"delegate\",\"arguments\":{{\"prompt\":\"never\"}}}}}}\n"
        );
    }
    pipe.write(lines.as_bytes()).await;
    let answer = pipe.hear().await;
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("overloaded"),
        "{answer}"
    );
}
