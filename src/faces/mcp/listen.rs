//! `subscriptions/listen` (2026-07-28): an open request by which a client is told of changes. rmcp's own has no tasks, so it is read here.

use super::{
    asking::Manner,
    audience::{Audience, Ear},
    era,
    handler::Face,
    target::What,
    tasks, tools, wire,
};
use rmcp::{
    ErrorData, RoleServer,
    model::{
        ClientCapabilities, CustomRequest, CustomResult, ErrorCode, NumberOrString, RequestId,
    },
    service::RequestContext,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What a client wants to be told of, and what of that it is told. Kinds of notices that we never send are left out of the answer.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    resources_list_changed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_subscriptions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_ids: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Params {
    notifications: Filter,
}

/// Tells until the client has enough or the connection ends.
///
/// # Errors
/// Method not found for any other custom request, and in a session; missing capability for tasks of who does not know them.
pub(super) async fn listen(
    face: &Face,
    request: &CustomRequest,
    context: &RequestContext<RoleServer>,
) -> Result<CustomResult, ErrorData> {
    let number = number(&context.id);
    let (Some(number), true, wire::LISTEN) =
        (number, era::is_modern(context), request.method.as_str())
    else {
        let method = request.method.clone();
        return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None));
    };
    let params: Option<Params> = request.params_as().map_err(|error| bad(&error))?;
    let wanted = params.ok_or_else(|| bad(&"`notifications` is missing"))?;
    let wanted = wanted.notifications;
    if wanted.task_ids.is_some() && !tasks::are_declared(context) {
        let needed = ClientCapabilities::builder().enable_tasks().build();
        return Err(ErrorData::missing_required_client_capability(needed));
    }
    let asks = Manner::of(context) == Manner::Rounds;
    let ear = Ear::Request(context.peer.clone(), number);
    let mut audience = Audience::new(face.clone(), ear, asks);
    let over = async {
        tokio::select! {
            () = context.ct.cancelled() => {}
            () = face.link().closing.ended() => {}
        }
    };
    tokio::pin!(over);
    let honoured = tokio::select! {
        honoured = honour(&mut audience, wanted) => honoured,
        () = &mut over => return Ok(ended()),
    };
    let honoured = serde_json::to_value(honoured).unwrap_or_else(|_| json!({}));
    if audience.ear().acknowledge(honoured).await.is_ok() {
        audience.attend(None, over).await;
    }
    Ok(ended())
}

/// What can be told is; the rest is left out of what is acknowledged.
async fn honour(audience: &mut Audience, wanted: Filter) -> Filter {
    let mut honoured = Filter::default();
    if wanted.resources_list_changed == Some(true) && takes(audience, What::List).await {
        honoured.resources_list_changed = Some(true);
    }
    for uri in wanted.resource_subscriptions.unwrap_or_default() {
        if let Some(what) = What::resource(&uri)
            && takes(audience, what).await
        {
            honoured
                .resource_subscriptions
                .get_or_insert_default()
                .push(uri);
        }
    }
    for id in wanted.task_ids.unwrap_or_default() {
        if let Ok(run) = tools::run_id(&id)
            && takes(audience, What::Task(run)).await
        {
            honoured.task_ids.get_or_insert_default().push(id);
        }
    }
    honoured
}

async fn takes(audience: &mut Audience, what: What) -> bool {
    match audience.add(what).await {
        Ok(()) => true,
        Err(fault) => {
            tracing::debug!(%fault, "not listened to");
            false
        }
    }
}

fn number(id: &RequestId) -> Option<i64> {
    match id {
        NumberOrString::Number(number) => Some(*number),
        NumberOrString::String(_) => None,
    }
}

fn bad(why: &impl std::fmt::Display) -> ErrorData {
    ErrorData::invalid_params(format!("{}: {why}", wire::LISTEN), None)
}

fn ended() -> CustomResult {
    CustomResult::new(json!({"resultType": "complete"}))
}
