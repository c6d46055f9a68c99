//! Lines of bytes with a bound on their length, whatever the writer sends.

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// What one read gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A whole line without its end (`\n` or `\r\n`), or the last bytes before the end of the stream.
    Whole(Vec<u8>),
    /// A line longer than the bound: its bytes were dropped up to its end, `len` of them.
    TooLong {
        /// Bytes of the dropped line.
        len: usize,
    },
    /// The stream has ended.
    End,
}

/// Reads one line of at most `max` bytes; a longer one is skipped, never held.
///
/// # Errors
/// Any error of the stream.
pub async fn next<R: AsyncBufRead + Unpin>(from: &mut R, max: usize) -> std::io::Result<Line> {
    let mut line = Vec::new();
    let mut len = 0_usize;
    loop {
        let bytes = from.fill_buf().await?;
        if bytes.is_empty() {
            return Ok(match len {
                0 => Line::End,
                _ => finish(line, len, max),
            });
        }
        let end = bytes.iter().position(|b| *b == b'\n');
        let take = end.unwrap_or(bytes.len());
        len += take;
        if len <= max {
            line.extend_from_slice(&bytes[..take]);
        } else {
            line = Vec::new();
        }
        from.consume(end.map_or(take, |at| at + 1));
        if end.is_some() {
            return Ok(finish(line, len, max));
        }
    }
}

fn finish(mut line: Vec<u8>, len: usize, max: usize) -> Line {
    if len > max {
        return Line::TooLong { len };
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Line::Whole(line)
}

#[cfg(test)]
mod tests {
    use super::{Line, next};
    use tokio::io::BufReader;

    #[tokio::test]
    async fn lines_are_whole_bounded_and_end() {
        let mut from = BufReader::with_capacity(3, &b"ab\r\n\nabcdefgh\nlast"[..]);
        let mut seen = Vec::new();
        loop {
            let line = next(&mut from, 5).await.expect("memory");
            if line == Line::End {
                break;
            }
            seen.push(line);
        }
        let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
        assert_eq!(
            seen,
            [
                whole("ab"),
                whole(""),
                Line::TooLong { len: 8 },
                whole("last")
            ]
        );
    }
}
