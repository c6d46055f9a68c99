//! Serving on a port or a socket, as `--serve` says.

use crate::options::Options;
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    os::unix::net::UnixListener,
    thread,
};

pub(crate) type From = Box<dyn Read + Send>;
pub(crate) type To = Box<dyn Write + Send>;

/// Says where it serves, and waits to be called there; `None` when it serves on its pipes.
pub(crate) fn ways(options: &Options) -> Option<(From, To)> {
    let serve = options.serve.as_deref()?;
    let is_silent = options.silent && options.announce.is_none();
    if serve == "unix" {
        let path = std::env::current_dir()
            .unwrap()
            .join(format!("agent-{}.sock", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        say(options, is_silent, &format!("2|unix:{}", path.display()));
        wait_if(options.shut);
        let (stream, _) = listener.accept().unwrap();
        return Some((Box::new(stream.try_clone().unwrap()), Box::new(stream)));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let line = if serve == "port" {
        format!("1|{port}")
    } else {
        format!("2|tcp:127.0.0.1:{port}")
    };
    say(options, is_silent, &line);
    wait_if(options.shut);
    let (stream, _) = listener.accept().unwrap();
    stream.set_nodelay(true).unwrap();
    Some((Box::new(stream.try_clone().unwrap()), Box::new(stream)))
}

fn say(options: &Options, is_silent: bool, line: &str) {
    wait_if(is_silent);
    println!("{}", options.announce.as_deref().unwrap_or(line));
    if options.chatty {
        // More than a pipe holds, before anybody is served; then on and on.
        let flood = || println!("{}", "chatter ".repeat(1024));
        (0..100).for_each(|_| flood());
        thread::spawn(move || {
            loop {
                flood();
            }
        });
    }
}

fn wait_if(forever: bool) {
    if forever {
        loop {
            thread::park();
        }
    }
}

/// Whoever calls shows the token that this process was started with.
pub(crate) fn is_known(params: &Value) -> bool {
    let own = std::env::var("EYAS_AGENT_TOKEN").unwrap_or_default();
    own.len() > 32 && params["_meta"]["eyas"]["token"] == own.as_str()
}
