use clap::{Command, CommandFactory as _};
use eyas::faces::cli::Cli;

#[test]
fn every_verb_says_what_it_does() {
    let mut silent = Vec::new();
    look("eyas", &Cli::command(), &mut silent);
    assert!(silent.is_empty(), "without a word of help: {silent:?}");
}

fn look(path: &str, command: &Command, silent: &mut Vec<String>) {
    for verb in command.get_subcommands() {
        let path = format!("{path} {}", verb.get_name());
        if verb.get_about().is_none() {
            silent.push(path.clone());
        }
        let flags = verb
            .get_arguments()
            .filter(|flag| flag.get_help().is_none())
            .filter(|_| verb.get_name() != "help");
        silent.extend(flags.map(|flag| format!("{path} --{}", flag.get_id())));
        look(&path, verb, silent);
    }
}
