//! A person's answer to what an agent asks.

use crate::{
    api::run::RunAnswer,
    domain::{
        caller::Caller,
        fault::{ErrorKind, Fault},
        request::{Answer, Decided, DecidedBy, Request},
        run::Run,
    },
    store::{RequestRow, Store, StoreError},
};
use jsonrpsee::Extensions;

/// Passes a person: no agent answers what an agent asks, whatever it presents.
pub(super) fn person_only(extensions: &Extensions) -> Result<(), Fault> {
    match extensions.get::<Caller>() {
        None | Some(Caller::Person) => Ok(()),
        Some(Caller::Session(_) | Caller::Stray) => Err(Fault::new(
            ErrorKind::Forbidden,
            "only a person answers what an agent asks",
        )
        .hint(
            "wait for the answer; the person sees the request in the editor and in `eyas run get`",
        )),
    }
}

/// Writes the answer; the run goes on with it. Whether the request takes it is looked at where it is written.
pub(super) async fn answer(
    store: &Store,
    params: RunAnswer,
    face: Option<String>,
) -> Result<Run, Fault> {
    let run = store.runs.get(params.id).await?;
    let row = match store.requests.get(run.id, &params.request).await {
        Ok(row) => row,
        Err(StoreError::NotFound { .. }) => return Err(unknown(&run, &params.request)),
        Err(error) => return Err(error.into()),
    };
    open(&run, &row)?;
    let answer = Answer {
        option: params.option,
        text: params.text,
    };
    let (row, taken) = store
        .requests
        .answer(run.id, &params.request, answer, face)
        .await?;
    let run = store.runs.get(run.id).await?;
    if !taken {
        open(&run, &row)?;
        return Err(Fault::internal("an open request took no answer"));
    }
    Ok(run)
}

fn unknown(run: &Run, request: &str) -> Fault {
    let open = run.requests.iter().map(|request| request.id.as_str());
    let fault = Fault::not_found_among("request", request, open, "run_get").field("request");
    if run.state.is_terminal() {
        terminal(run)
    } else {
        fault
    }
}

fn terminal(run: &Run) -> Fault {
    let detail = format!("run {} is {}", run.id, run.state.as_str());
    Fault::new(ErrorKind::RunTerminal, detail).hint("delegate again, with `previous` set to it")
}

/// Nothing is decided twice.
fn open(run: &Run, row: &RequestRow) -> Result<(), Fault> {
    match &row.decided {
        None if run.state.is_terminal() => Err(terminal(run)),
        None => Ok(()),
        Some(decided) if decided.by == DecidedBy::Withdrawn && run.state.is_terminal() => {
            Err(terminal(run))
        }
        Some(decided) => Err(Fault::invalid("request", told(&row.request, decided))
            .hint("`eyas run get` shows what is open")),
    }
}

fn told(request: &Request, decided: &Decided) -> String {
    let at = decided.at;
    match decided.by {
        DecidedBy::Person => {
            let face = decided.face.as_deref().unwrap_or("a person");
            format!(
                "was answered before, with {}, by {face} at {at}",
                said(request, &decided.answer)
            )
        }
        DecidedBy::Deadline => format!("has expired: nobody answered until {at}"),
        DecidedBy::Withdrawn => {
            let why = decided.why.as_deref().unwrap_or("its agent waits no more");
            format!("was withdrawn at {at}: {why}")
        }
    }
}

fn said(request: &Request, answer: &Answer) -> String {
    let option = answer.option.as_ref().map(|id| {
        let name = request.options.iter().find(|option| option.id == *id);
        name.map_or_else(
            || format!("\"{id}\""),
            |option| format!("\"{id}\" ({})", option.name),
        )
    });
    let text = answer.text.as_ref().map(|text| format!("\"{text}\""));
    let parts: Vec<_> = option.into_iter().chain(text).collect();
    parts.join(", ")
}
