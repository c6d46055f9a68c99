//! Promises of `eyas rpc`.

mod every_call_is_answered;
mod subscriptions_are_forwarded;
