//! The first line of an agent that serves on a port or a socket: `VERSION|ENDPOINT`.

use crate::domain::{agent::Carrier, fault::ErrorKind};
use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

/// What the system takes for the path of a socket.
const LONGEST_PATH: usize = 107;

/// Where an agent serves: on this machine, and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// Of a loopback address.
    Tcp(SocketAddr),
    /// Absolute.
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "port {address}"),
            Self::Unix(path) => write!(f, "socket {}", path.display()),
        }
    }
}

/// Why a line is none that can be taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) kind: ErrorKind,
    /// Continues "printed …, ".
    pub(super) why: &'static str,
}

const fn malformed(why: &'static str) -> Wrong {
    Wrong {
        kind: ErrorKind::HandshakeMalformed,
        why,
    }
}

impl Endpoint {
    /// Reads the line of an agent that should serve on `carrier`.
    pub(super) fn read(line: &str, carrier: Carrier) -> Result<Self, Wrong> {
        let (version, endpoint) = line
            .split_once('|')
            .ok_or(malformed("which is not VERSION|ENDPOINT"))?;
        let endpoint = match version {
            "1" => port(endpoint),
            "2" => named(endpoint)?,
            other if !other.is_empty() && other.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err(Wrong {
                    kind: ErrorKind::VersionMismatch,
                    why: "a version of the handshake that is not 1 or 2",
                });
            }
            _ => return Err(malformed("whose version is no number")),
        };
        let endpoint = endpoint.ok_or(malformed(
            "whose endpoint is neither a port (1 to 65535) of a loopback address nor the absolute path of a socket",
        ))?;
        match (&endpoint, carrier) {
            (Self::Tcp(_), Carrier::Tcp) | (Self::Unix(_), Carrier::Unix) => Ok(endpoint),
            _ => Err(malformed(
                "which is not what its definition says it serves on",
            )),
        }
    }
}

/// Version 1 knows ports alone.
fn port(text: &str) -> Option<Endpoint> {
    // A sign or a space is none of a port.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port: u16 = text.parse().ok().filter(|port| digits && *port != 0)?;
    Some(Endpoint::Tcp((Ipv4Addr::LOCALHOST, port).into()))
}

fn named(text: &str) -> Result<Option<Endpoint>, Wrong> {
    let (scheme, rest) = text
        .split_once(':')
        .ok_or(malformed("whose endpoint is neither unix:… nor tcp:…"))?;
    Ok(match scheme {
        "tcp" => rest
            .parse()
            .ok()
            .filter(|address: &SocketAddr| address.ip().is_loopback() && address.port() != 0)
            .map(Endpoint::Tcp),
        "unix" => Some(rest)
            .filter(|path| {
                path.starts_with('/') && path.len() <= LONGEST_PATH && !path.contains('\0')
            })
            .map(|path| Endpoint::Unix(path.into())),
        _ => return Err(malformed("whose endpoint is neither unix:… nor tcp:…")),
    })
}

#[cfg(test)]
mod tests {
    use super::Endpoint;
    use crate::domain::{agent::Carrier, fault::ErrorKind};

    fn read(line: &str, carrier: Carrier) -> Result<String, ErrorKind> {
        let read = Endpoint::read(line, carrier);
        let seen = read.as_ref().map(ToString::to_string);
        seen.map_err(|wrong| wrong.kind)
    }

    #[test]
    fn only_what_is_here_is_dialled() {
        for (line, carrier, expected) in [
            ("1|4711", Carrier::Tcp, "port 127.0.0.1:4711"),
            ("1|65535", Carrier::Tcp, "port 127.0.0.1:65535"),
            ("2|tcp:127.0.0.1:80", Carrier::Tcp, "port 127.0.0.1:80"),
            ("2|tcp:[::1]:80", Carrier::Tcp, "port [::1]:80"),
            ("2|unix:/a b/c|d", Carrier::Unix, "socket /a b/c|d"),
        ] {
            assert_eq!(read(line, carrier), Ok(expected.to_owned()), "{line}");
        }
    }

    #[test]
    fn what_says_no_place_of_this_machine_is_refused() {
        let long = format!("2|unix:/{}", "x".repeat(107));
        for (carrier, lines) in [
            (
                Carrier::Tcp,
                &[
                    "",
                    "hello",
                    "|80",
                    "x|80",
                    "-1|80",
                    "1|",
                    "1|0",
                    "1|-1",
                    "1|+80",
                    "1|80 ",
                    "1|65536",
                    "2|4711",
                    "2|tcp:0.0.0.0:80",
                    "2|tcp:10.0.0.1:80",
                    "2|tcp:localhost:80",
                    "2|tcp:127.0.0.1:0",
                    "2|unix:/a",
                    "2|http://127.0.0.1:80",
                ][..],
            ),
            (Carrier::Unix, &["1|unix:/a", "1|4711", "2|unix:a/b", &long]),
        ] {
            for line in lines {
                let refused = Err(ErrorKind::HandshakeMalformed);
                assert_eq!(read(line, carrier), refused, "{line}");
            }
        }
        for line in ["3|tcp:127.0.0.1:80", "0|80", "99999999999999999999|80"] {
            let refused = Err(ErrorKind::VersionMismatch);
            assert_eq!(read(line, Carrier::Tcp), refused, "{line}");
        }
    }
}
