//! A disk that takes 2 ms more for every sync, as many do: a library of a few lines, compiled here, that is loaded before the C library's own.

use crate::database::Kind;
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Asks a bench for what is measured on such a disk.
pub(crate) const WORD: &str = "slow-sync";
const PRELOAD: &str = "LD_PRELOAD";

const LATER: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static int later(const char *name, int fd) {
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int done = next(fd);
    usleep(2000);
    return done;
}
int fsync(int fd) { return later("fsync", fd); }
int fdatasync(int fd) { return later("fdatasync", fd); }
"#;

pub(crate) const TARGETS: fn(Kind, usize) -> &'static str = |kind, _| match kind {
    Kind::Sqlite => ">= 5 x",
    Kind::Postgres => ">= 1.5 x",
};

/// Measures once more where syncs take longer; a server that this bench then starts inherits the disk.
pub(crate) fn again(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("later.so");
    if !compiled(&folder.path().join("later.c"), &library) {
        println!("no C compiler: nothing is measured on a slow disk");
        return;
    }
    let own = std::env::current_exe().unwrap();
    let mut again = Command::new(own);
    again.args([WORD, kind.name()]).env(PRELOAD, &library);
    // Whoever the server runs as must be able to read it.
    open_to_all(folder.path());
    assert!(again.status().unwrap().success());
}

/// For the table.
pub(crate) fn said() -> &'static str {
    if std::env::var_os(PRELOAD).is_some() {
        ", syncs 2 ms slower"
    } else {
        ""
    }
}

fn compiled(source: &Path, library: &Path) -> bool {
    std::fs::write(source, LATER).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]);
    compiler.arg(library).arg(source).arg("-ldl");
    let done = compiler.stderr(Stdio::inherit()).status();
    done.is_ok_and(|done| done.success())
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}
