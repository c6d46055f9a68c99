//! The process's own ends of the pipe. Node-based clients hand us socket pairs, others FIFOs; both are driven without a thread, because
//! a thread that blocks in `read` keeps the process from ending.

use crate::stdx;
use rmcp::transport::io::stdio_pipes;
use rustix::{
    fs::{FileType, fstat},
    net::{RecvFlags, SendFlags, recv, send},
};
use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, unix::AsyncFd};

/// Where lines come from.
pub(super) type Input = Box<dyn AsyncRead + Send + Unpin>;
/// Where lines go.
pub(super) type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// Standard input and output, in the way that suits what they are.
pub(super) fn ends() -> (Input, Output) {
    let (stdin, stdout) = (io::stdin(), io::stdout());
    let input = socket(&stdin);
    let output = socket(&stdout);
    match (input, output) {
        (Some(input), Some(output)) => (Box::new(input), Box::new(output)),
        (Some(input), None) => (Box::new(input), Box::new(tokio::io::stdout())),
        (None, Some(output)) => (Box::new(tokio::io::stdin()), Box::new(output)),
        (None, None) => {
            let (input, output) = stdio_pipes();
            (Box::new(input), Box::new(output))
        }
    }
}

/// A stream socket that is read and written without changing its flags, which other processes may share.
#[derive(Debug)]
struct Socket(AsyncFd<OwnedFd>);

fn socket(of: &impl AsFd) -> Option<Socket> {
    let stat = fstat(of).ok()?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Socket {
        return None;
    }
    let own = of.as_fd().try_clone_to_owned().ok()?;
    stdx::watched(own).ok().map(Socket)
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            let space = buf.initialize_unfilled();
            let read = ready.try_io(|fd| {
                let (read, _) = recv(fd, &mut *space, RecvFlags::DONTWAIT)?;
                Ok(read)
            });
            match read {
                Ok(Ok(read)) => {
                    buf.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_not_ready) => {}
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(cx))?;
            match ready.try_io(|fd| send(fd, buf, SendFlags::DONTWAIT).map_err(Into::into)) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(written) => return Poll::Ready(written),
                Err(_not_ready) => {}
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::socket;
    use std::os::unix::net::UnixStream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn a_socket_pair_carries_bytes_both_ways_and_ends() {
        let (near, far) = UnixStream::pair().expect("a socket pair");
        let (mut reader, mut writer) = (
            socket(&near).expect("socket"),
            socket(&far).expect("socket"),
        );
        let sent = vec![7_u8; 1 << 20];
        let copy = sent.clone();
        let writing = tokio::spawn(async move {
            writer.write_all(&copy).await.expect("a reader");
        });
        let mut got = vec![0; sent.len()];
        reader.read_exact(&mut got).await.expect("all of it");
        assert_eq!(got, sent);
        writing.await.expect("no panic");
        drop(far);
        assert_eq!(reader.read(&mut got).await.expect("the end"), 0);
    }
}
