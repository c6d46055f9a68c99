//! What every call passes, one by one or in a batch: who asks, whether it may, parameters as one object, and faults in our words.

use super::peers::{Call, Present};
use crate::{
    api::methods,
    domain::{
        caller::Caller,
        fault::{ErrorKind, Fault},
    },
};
use futures::future::{Either, join_all, ready};
use jsonrpsee::{
    MethodResponse,
    core::{
        middleware::{Batch, BatchEntry, BatchEntryErr, Notification, RpcServiceT},
        server::BatchResponseBuilder,
    },
    server::middleware::rpc::Request,
    types::{ErrorObject, ErrorObjectOwned, Id},
};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use std::{borrow::Cow, sync::Arc};

/// Largest message in either direction, beside a little for its envelope.
pub(crate) const MAX_MESSAGE: u32 = 80 * 1024 * 1024;

/// Answers of a subscription's call go out on their own, so they cannot stand in a batch; and a wrong parameter must be found before it.
const SUBSCRIPTIONS: [&str; 1] = ["events.watch"];

/// Verbs by which nothing changes: all that a stray may use.
const READING: [&str; 13] = [
    "list", "get", "preview", "export", "info", "peers", "join", "wait", "events", "attempts",
    "watch", "unwatch", "discover",
];

/// The layer of one connection. It lives as long as the connection does, and so does the peer's place at the table.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) present: Arc<Present>,
}

impl<S> tower::Layer<S> for Door {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Guarded {
            inner,
            present: self.present.clone(),
        }
    }
}

/// The methods, behind the door.
#[derive(Clone, Debug)]
pub(super) struct Guarded<S> {
    inner: S,
    present: Arc<Present>,
}

impl<S> Guarded<S> {
    /// The call as the methods expect it, or why it is not taken.
    fn admit(&self, request: &mut Request<'_>) -> Result<(), ErrorObjectOwned> {
        let caller = self.present.peer.caller();
        if !may(caller, &request.method) {
            return Err(self.refused(&request.method).into());
        }
        shape(request)?;
        let extensions = request.extensions_mut();
        extensions.insert(caller);
        extensions.insert(self.present.peer.clone());
        Ok(())
    }
}

impl<S> Guarded<S> {
    fn refused(&self, method: &str) -> Fault {
        if self.present.peer.has_badge() {
            let detail = "no run of this session is being worked on";
            return Fault::new(ErrorKind::Forbidden, detail)
                .hint("the turn that this belongs to is over: nothing more can be said of it");
        }
        Fault::new(
            ErrorKind::Forbidden,
            format!(
                "a process below an agent, of no open session, may only read: `{method}` is refused"
            ),
        )
    }
}

impl<S> RpcServiceT for Guarded<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(
        &self,
        mut request: Request<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        let id = request.id();
        if let Err(error) = self.admit(&mut request) {
            return Either::Left(ready(MethodResponse::error(id, error)));
        }
        let method = request.method.clone();
        let counted = Call::of(&self.present);
        let answer = self.inner.call(request);
        Either::Right(async move {
            let answer = answer.await;
            drop(counted);
            match answer.as_error_code() {
                Some(code) if !answer.is_subscription() => reword(answer, code, id, &method),
                _ => answer,
            }
        })
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let service = self.clone();
        async move {
            let answers = batch.into_iter().map(|entry| service.entry(entry));
            let answers: Vec<_> = join_all(answers).await;
            let notified = answers.iter().any(Option::is_none);
            let mut all = BatchResponseBuilder::new_with_limit(MAX_MESSAGE as usize);
            for answer in answers.into_iter().flatten() {
                if let Err(too_large) = all.append(answer) {
                    return too_large;
                }
            }
            if all.is_empty() && notified {
                return MethodResponse::notification();
            }
            MethodResponse::from_batch(all.finish())
        }
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.inner.notification(notification)
    }
}

impl<S> Guarded<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    /// The answer to one entry of a batch; a notification has none.
    async fn entry<'a>(
        &self,
        entry: Result<BatchEntry<'a>, BatchEntryErr<'a>>,
    ) -> Option<MethodResponse> {
        match entry {
            Ok(BatchEntry::Call(request)) if SUBSCRIPTIONS.contains(&&*request.method) => {
                let fault = Fault::new(
                    ErrorKind::InvalidParams,
                    format!("`{}` cannot stand in a batch", request.method),
                );
                Some(MethodResponse::error(
                    request.id,
                    ErrorObjectOwned::from(fault),
                ))
            }
            Ok(BatchEntry::Call(request)) => Some(self.call(request).await),
            Ok(BatchEntry::Notification(_)) => None,
            Err(error) => {
                let (error, id) = error.into_parts();
                Some(MethodResponse::error(id, error))
            }
        }
    }
}

fn may(caller: Caller, method: &str) -> bool {
    match caller {
        // What a session may do is each handler's to say.
        Caller::Person | Caller::Session(_) => true,
        Caller::Stray => {
            let verb = method.rsplit('.').next().unwrap_or_default();
            READING.contains(&verb)
        }
    }
}

/// Parameters are one object; the generated code wants them as the only item of a list. Absent ones are an empty object.
fn shape(request: &mut Request<'_>) -> Result<(), Fault> {
    let Some(method) = methods::find(&request.method) else {
        return Ok(());
    };
    let given = request.params.as_deref().map_or("", RawValue::get);
    match given.as_bytes().first() {
        Some(b'{') => {}
        None => {
            return wrap(
                request,
                &RawValue::from_string("{}".into()).map_err(Fault::internal)?,
            );
        }
        Some(b'[') if given[1..].trim_start() == "]" => {
            return wrap(
                request,
                &RawValue::from_string("{}".into()).map_err(Fault::internal)?,
            );
        }
        // What generated clients send.
        Some(b'[') if given[1..].trim_start().starts_with('{') => return Ok(()),
        Some(_) => {
            return Err(Fault::new(
                ErrorKind::InvalidParams,
                "parameters are an object",
            ));
        }
    }
    let Some(params) = request.params.take() else {
        return Ok(());
    };
    if SUBSCRIPTIONS.contains(&method.name) {
        (method.check)(&params)?;
    }
    wrap(request, &params)
}

/// Copies the text without reading it a second time: it has been found to be JSON.
fn wrap(request: &mut Request<'_>, params: &RawValue) -> Result<(), Fault> {
    let list = to_raw_value(&[params]).map_err(Fault::internal)?;
    request.params = Some(Cow::Owned(list));
    Ok(())
}

/// The library's own errors get the `data` that all of ours have. Reading the parameters is the method's work, once; so a wrong one is
/// found there, and worded here.
fn reword(answer: MethodResponse, code: i32, id: Id<'_>, method: &str) -> MethodResponse {
    #[derive(Deserialize)]
    struct Answer {
        error: Error,
    }
    #[derive(Deserialize)]
    struct Error {
        data: Option<serde_json::Value>,
    }
    let data = serde_json::from_str::<Answer>(answer.as_json().get()).map(|read| read.error.data);
    let error = match (code, data) {
        (-32602, Ok(Some(serde_json::Value::String(words)))) => {
            ErrorObjectOwned::from(methods::explain(&words))
        }
        (-32601, Ok(None)) => {
            let names = methods::ALL.iter().map(|method| method.name);
            let fault = Fault::not_found_among("method", method, names, "rpc.discover");
            ErrorObject::owned(code, "Method not found", Some(fault))
        }
        _ => return answer,
    };
    MethodResponse::error(id, error)
}
