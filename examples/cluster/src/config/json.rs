//! A strict JSON reader, and a cursor that knows the path of its value.
//!
//! They give two things that `serde_json::Value` alone does not. A key that appears twice in one object is an error,
//! not a silent loss: in files that are keyed by name, a duplicate name looks like this. And every complaint names the
//! path of the value that it is about.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Any JSON value in which no object has a key twice.
pub(crate) struct Unambiguous(pub(crate) Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor).map(Self)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Unambiguous(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if object.contains_key(&key) {
                // Raised before the value is read, so that the error gives the line and column of the key.
                return Err(A::Error::custom(format_args!("the key `{key}` appears twice")));
            }
            let Unambiguous(value) = map.next_value()?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// What is wrong with a value, and its path, such as `instances.web1.primary_node`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) place: String,
    pub(super) reason: String,
}

/// A value and its path.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'v> {
    place: String,
    value: &'v Value,
}

impl<'v> Cursor<'v> {
    pub(super) fn top(value: &'v Value) -> Self {
        Self { place: String::new(), value }
    }

    pub(super) fn value(&self) -> &'v Value {
        self.value
    }

    pub(super) fn complain<T>(&self, reason: impl Into<String>) -> Result<T, Complaint> {
        Err(Complaint { place: self.place.clone(), reason: reason.into() })
    }

    fn expected<T>(&self, wanted: &str) -> Result<T, Complaint> {
        self.complain(format!("expected {wanted}, found {}", kind(self.value)))
    }

    /// The member `key`, if this is an object that has one and it is not `null`.
    pub(super) fn member(&self, key: &str) -> Option<Self> {
        match self.value.get(key) {
            None | Some(Value::Null) => None,
            Some(value) => Some(self.step(key, value)),
        }
    }

    pub(super) fn required(&self, key: &str) -> Result<Self, Complaint> {
        if !self.value.is_object() {
            return self.expected("an object");
        }
        self.member(key).map_or_else(|| self.complain(format!("has no `{key}`")), Ok)
    }

    pub(super) fn entries(&self) -> Result<impl Iterator<Item = (&'v str, Self)>, Complaint> {
        let Value::Object(object) = self.value else {
            return self.expected("an object");
        };
        Ok(object.iter().map(|(key, value)| (key.as_str(), self.step(key, value))))
    }

    pub(super) fn items(&self) -> Result<impl Iterator<Item = Self>, Complaint> {
        let Value::Array(items) = self.value else {
            return self.expected("a list");
        };
        let item = |(index, value)| Self { place: format!("{}[{index}]", self.place), value };
        Ok(items.iter().enumerate().map(item))
    }

    pub(super) fn text(&self) -> Result<&'v str, Complaint> {
        match self.value {
            Value::String(text) if text.is_empty() => self.complain("is empty"),
            Value::String(text) => Ok(text),
            _ => self.expected("a text"),
        }
    }

    fn step(&self, key: &str, value: &'v Value) -> Self {
        let dot = if self.place.is_empty() { "" } else { "." };
        Self { place: format!("{}{dot}{key}", self.place), value }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
