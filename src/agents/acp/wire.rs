//! The agent's pipes, or its connection, as the SDK's line transport, with a bound on lines and an eye on what is no message.

use super::junk::Junk;
use crate::stdx::lines::{self, Line};
use agent_client_protocol::{Client, ConnectTo, Lines};
use futures::{Sink, Stream, sink, stream};
use serde::{Deserialize, de::IgnoredAny};
use std::io;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    sync::watch,
};

/// Bytes of one line. Agents send half a megabyte in ordinary use; smaller bounds have broken people.
pub(in crate::agents) const MAX_LINE: usize = 64 * 1024 * 1024;

/// As much as a pipe holds.
const BUFFER: usize = 64 * 1024;

/// `too_long` gets the length of each line beyond [`MAX_LINE`].
pub(super) fn transport(
    to: impl AsyncWrite + Send + Unpin + 'static,
    from: impl AsyncRead + Send + Unpin + 'static,
    junk: Junk,
    too_long: watch::Sender<usize>,
) -> impl ConnectTo<Client> + 'static {
    Lines::new(
        outgoing(to),
        incoming(Reader {
            from: BufReader::with_capacity(BUFFER, from),
            junk,
            too_long,
        }),
    )
}

/// Whole lines in one write each.
fn outgoing(
    to: impl AsyncWrite + Send + Unpin + 'static,
) -> impl Sink<String, Error = io::Error> + Send + 'static {
    sink::unfold(to, async |mut to, mut line: String| {
        line.push('\n');
        to.write_all(line.as_bytes()).await?;
        to.flush().await?;
        Ok(to)
    })
}

fn incoming<R: AsyncRead + Send + Unpin + 'static>(
    reader: Reader<R>,
) -> impl Stream<Item = io::Result<String>> + Send + 'static {
    stream::unfold(reader, async |mut reader| {
        let line = reader.next().await.transpose()?;
        Some((line, reader))
    })
}

struct Reader<R> {
    from: BufReader<R>,
    junk: Junk,
    too_long: watch::Sender<usize>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// The next line that is a message; `None` at the end.
    async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            match lines::next(&mut self.from, MAX_LINE).await? {
                Line::End => return Ok(None),
                Line::TooLong { len } => {
                    self.junk.add(&format!("(a line of {len} bytes)"));
                    self.too_long.send_replace(len);
                }
                Line::Whole(bytes) => match message(bytes) {
                    Found::Message(line) => return Ok(Some(line)),
                    Found::Nothing => {}
                    Found::Junk(line) => self.junk.add(&line),
                },
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Message(String),
    Junk(String),
    Nothing,
}

/// What makes an object a JSON-RPC message.
#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "jsonrpc")]
    _jsonrpc: IgnoredAny,
    method: Option<IgnoredAny>,
    id: Option<IgnoredAny>,
}

/// Text before the first brace is passed over: some agents set the terminal's title on the line of their first answer.
fn message(bytes: Vec<u8>) -> Found {
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    if text.trim().is_empty() {
        return Found::Nothing;
    }
    let body = text.find('{').map(|at| &text[at..]);
    match body.map(serde_json::from_str::<Shape>) {
        Some(Ok(shape)) if shape.method.is_some() || shape.id.is_some() => match body {
            Some(body) if body.len() < text.len() => Found::Message(body.to_owned()),
            _whole => Found::Message(text),
        },
        _no_message => Found::Junk(text),
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, message};

    #[test]
    fn messages_are_told_from_junk() {
        let whole = r#"{"jsonrpc":"2.0","id":1,"result":null}"#;
        assert_eq!(message(whole.into()), Found::Message(whole.to_owned()));
        let titled = format!("\x1b]0;agent\x07{whole}");
        assert_eq!(message(titled.into()), Found::Message(whole.to_owned()));
        assert_eq!(message(b"  \r".into()), Found::Nothing);
        for junk in [
            "hello",
            "42",
            "[]",
            "{}",
            r#"{"id":1}"#,
            r#"{"jsonrpc":"2.0"}"#,
            r#"{"jsonrpc":"2.0","id":1"#,
        ] {
            assert_eq!(message(junk.into()), Found::Junk(junk.to_owned()));
        }
        assert!(matches!(
            message(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}".into()),
            Found::Message(_)
        ));
    }
}
