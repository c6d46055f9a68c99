//! What a statement is given.

use std::borrow::Cow;
use uuid::Uuid;

/// A value that both databases know; `None` is NULL, and still has its type.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Uuid(Option<Uuid>),
    Int(Option<i64>),
    Text(Option<Cow<'a, str>>),
    Bool(Option<bool>),
}

impl Value<'_> {
    /// One that may go to another thread.
    pub(super) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Uuid(id) => Value::Uuid(id),
            Self::Int(number) => Value::Int(number),
            Self::Text(text) => Value::Text(text.map(|text| Cow::Owned(text.into_owned()))),
            Self::Bool(answer) => Value::Bool(answer),
        }
    }
}

/// In the order of the placeholders.
pub(super) type Values<'a> = Vec<Value<'a>>;

/// The values of a statement, each by [`Value::from`].
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::store::sql::value::Value::from($value)),*]
    };
}
pub(super) use values;

macro_rules! from {
    ($($kind:ident: $given:ty => $taken:expr;)*) => {
        $(
            impl<'a> From<$given> for Value<'a> {
                fn from(value: $given) -> Self {
                    let taken: fn($given) -> _ = $taken;
                    Self::$kind(Some(taken(value)))
                }
            }

            impl<'a> From<Option<$given>> for Value<'a> {
                fn from(value: Option<$given>) -> Self {
                    Self::$kind(value.map($taken))
                }
            }
        )*
    };
}

from! {
    Uuid: Uuid => |id| id;
    Uuid: &'a Uuid => |id| *id;
    Int: i64 => |number| number;
    Int: i32 => i64::from;
    Int: u32 => i64::from;
    Text: &'a str => Cow::Borrowed;
    Text: &'a String => |text| Cow::Borrowed(text.as_str());
    Text: String => Cow::Owned;
    Bool: bool => |answer| answer;
}

impl<'a> From<&'a Option<String>> for Value<'a> {
    fn from(value: &'a Option<String>) -> Self {
        Self::from(value.as_deref())
    }
}
