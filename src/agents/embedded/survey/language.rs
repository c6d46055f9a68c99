//! Languages, told by the ends of names.

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Code,
    Prose,
    Settings,
}

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Language {
    pub(super) name: &'static str,
    pub(super) purpose: Purpose,
}

const ENDINGS: &[(&str, Purpose, &[&str])] = &[
    ("Rust", Purpose::Code, &["rs"]),
    ("Go", Purpose::Code, &["go"]),
    ("Python", Purpose::Code, &["py", "pyi", "pyx"]),
    ("TypeScript", Purpose::Code, &["ts", "tsx", "mts", "cts"]),
    ("JavaScript", Purpose::Code, &["js", "jsx", "mjs", "cjs"]),
    ("Java", Purpose::Code, &["java"]),
    ("Kotlin", Purpose::Code, &["kt", "kts"]),
    ("Scala", Purpose::Code, &["scala", "sbt"]),
    ("Groovy", Purpose::Code, &["groovy", "gradle"]),
    ("C", Purpose::Code, &["c", "h"]),
    (
        "C++",
        Purpose::Code,
        &["cc", "cpp", "cxx", "hpp", "hh", "hxx"],
    ),
    ("C#", Purpose::Code, &["cs"]),
    ("F#", Purpose::Code, &["fs", "fsx"]),
    ("Swift", Purpose::Code, &["swift"]),
    ("Objective-C", Purpose::Code, &["m", "mm"]),
    ("Ruby", Purpose::Code, &["rb", "rake", "gemspec"]),
    ("PHP", Purpose::Code, &["php"]),
    ("Perl", Purpose::Code, &["pl", "pm"]),
    ("Lua", Purpose::Code, &["lua"]),
    ("Dart", Purpose::Code, &["dart"]),
    ("Elixir", Purpose::Code, &["ex", "exs"]),
    ("Erlang", Purpose::Code, &["erl", "hrl"]),
    ("Haskell", Purpose::Code, &["hs"]),
    ("OCaml", Purpose::Code, &["ml", "mli"]),
    ("Clojure", Purpose::Code, &["clj", "cljs", "cljc"]),
    ("R", Purpose::Code, &["r"]),
    ("Julia", Purpose::Code, &["jl"]),
    ("Zig", Purpose::Code, &["zig"]),
    ("Nim", Purpose::Code, &["nim"]),
    ("Nix", Purpose::Code, &["nix"]),
    ("Shell", Purpose::Code, &["sh", "bash", "zsh", "fish"]),
    ("PowerShell", Purpose::Code, &["ps1", "psm1"]),
    ("SQL", Purpose::Code, &["sql"]),
    ("Protocol Buffers", Purpose::Code, &["proto"]),
    ("GraphQL", Purpose::Code, &["graphql", "gql"]),
    ("Terraform", Purpose::Code, &["tf", "hcl"]),
    ("Vue", Purpose::Code, &["vue"]),
    ("Svelte", Purpose::Code, &["svelte"]),
    ("HTML", Purpose::Code, &["html", "htm"]),
    (
        "Templates",
        Purpose::Code,
        &["hbs", "j2", "tmpl", "ejs", "erb"],
    ),
    ("CSS", Purpose::Code, &["css", "scss", "sass", "less"]),
    ("Vim script", Purpose::Code, &["vim"]),
    ("Emacs Lisp", Purpose::Code, &["el"]),
    ("Assembly", Purpose::Code, &["s", "asm"]),
    ("CMake", Purpose::Code, &["cmake"]),
    ("Markdown", Purpose::Prose, &["md", "mdx", "markdown"]),
    ("reStructuredText", Purpose::Prose, &["rst"]),
    ("Text", Purpose::Prose, &["txt", "adoc", "org", "tex"]),
    ("TOML", Purpose::Settings, &["toml"]),
    ("YAML", Purpose::Settings, &["yaml", "yml"]),
    ("JSON", Purpose::Settings, &["json", "jsonc", "json5"]),
    ("XML", Purpose::Settings, &["xml"]),
    (
        "INI",
        Purpose::Settings,
        &["ini", "cfg", "conf", "properties"],
    ),
];

/// Names that have a language without an ending.
const NAMES: &[(&str, &str)] = &[
    ("Makefile", "Make"),
    ("makefile", "Make"),
    ("GNUmakefile", "Make"),
    ("justfile", "just"),
    ("Justfile", "just"),
    ("Dockerfile", "Dockerfile"),
    ("Containerfile", "Dockerfile"),
    ("CMakeLists.txt", "CMake"),
    ("Gemfile", "Ruby"),
    ("Rakefile", "Ruby"),
    ("Jenkinsfile", "Groovy"),
];

/// The language of a file name, if it is known.
pub(super) fn of(name: &str) -> Option<Language> {
    if let Some((_, language)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(Language {
            name: language,
            purpose: Purpose::Code,
        });
    }
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    ENDINGS
        .iter()
        .find(|(_, _, endings)| endings.contains(&ending.as_str()))
        .map(|&(name, purpose, _)| Language { name, purpose })
}

/// Files made by tools: long, and never the answer.
pub(super) fn is_generated(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    matches!(ending, "lock" | "map" | "snap")
        || name.ends_with(".min.js")
        || name.ends_with(".min.css")
        || matches!(
            name.as_str(),
            "package-lock.json" | "npm-shrinkwrap.json" | "pnpm-lock.yaml" | "go.sum" | "bun.lockb"
        )
}

/// Files that hold keys. Their lines must not be quoted.
pub(super) fn is_sensitive(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    matches!(
        ending,
        "pem"
            | "key"
            | "p12"
            | "pfx"
            | "jks"
            | "keystore"
            | "kdbx"
            | "env"
            | "asc"
            | "gpg"
            | "tfstate"
            | "tfvars"
    ) || name.starts_with("id_rsa")
        || name.starts_with("id_ed25519")
        || name.starts_with("id_ecdsa")
        || name.starts_with("credentials")
        || name.starts_with("secrets.")
        || name.starts_with("secret.")
        || name.starts_with("service-account")
}
