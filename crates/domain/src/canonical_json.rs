//! JSON of which there is one form: no spaces, keys in order. What is written this way can be hashed.

use std::{
    cell::RefCell,
    io::{self, Write},
};

use serde::Serialize;
use serde_json::{Serializer, ser::Formatter};

/// The canonical JSON of a value, without the key `without` of its outermost object. Keys stand in the order of their bytes
/// as they are written.
///
/// # Panics
///
/// If the value cannot be JSON: it has keys that are no text.
pub(crate) fn canonical_json<T: Serialize>(value: &T, without: &str) -> Vec<u8> {
    let text = Text(RefCell::new(Vec::with_capacity(2048)));
    let formatter = InOrder {
        text: &text,
        without,
        open: Vec::with_capacity(4),
        fields: Vec::with_capacity(64),
        sorted: Vec::new(),
    };
    value
        .serialize(&mut Serializer::with_formatter(&text, formatter))
        .expect("what is hashed are structs with text keys");
    text.0.into_inner()
}

/// What was written so far; the serializer appends, and the formatter puts objects in order when they are whole.
struct Text(RefCell<Vec<u8>>);

impl Text {
    fn len(&self) -> usize {
        self.0.borrow().len()
    }
}

impl Write for &Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    // The serializer writes hundreds of pieces for one record, and the default is a loop around `write`.
    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct InOrder<'t> {
    text: &'t Text,
    without: &'t str,
    /// The objects that are being written, the innermost last.
    open: Vec<Object>,
    /// Their fields, those of the innermost last.
    fields: Vec<Field>,
    /// Where an object is put in order.
    sorted: Vec<u8>,
}

/// Places in the text and among the fields.
struct Object {
    begins: usize,
    first_field: usize,
}

/// Places in the text.
struct Field {
    begins: usize,
    key_ends: usize,
    ends: usize,
}

impl Field {
    fn key<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &text[self.begins + 1..self.key_ends - 1] // without its quotes
    }
}

impl InOrder<'_> {
    fn field(&mut self) -> &mut Field {
        self.fields.last_mut().expect("a key comes before its value")
    }
}

impl Formatter for InOrder<'_> {
    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open.push(Object { begins: self.text.len(), first_field: self.fields.len() });
        writer.write_all(b"{")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        let here = self.text.len();
        self.fields.push(Field { begins: here, key_ends: here, ends: here });
        Ok(())
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.field().key_ends = self.text.len();
        Ok(())
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.field().ends = self.text.len();
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        let Object { begins, first_field } = self.open.pop().expect("an object that ends has begun");
        let mut text = self.text.0.borrow_mut();
        let fields = &mut self.fields[first_field..];
        let is_outermost = self.open.is_empty();
        if is_outermost || !fields.is_sorted_by(|one, other| one.key(&text) <= other.key(&text)) {
            fields.sort_unstable_by(|one, other| one.key(&text).cmp(other.key(&text)));
            self.sorted.clear();
            self.sorted.push(b'{');
            for field in fields {
                if is_outermost && field.key(&text) == self.without.as_bytes() {
                    continue;
                }
                if self.sorted.len() > 1 {
                    self.sorted.push(b',');
                }
                self.sorted.extend_from_slice(&text[field.begins..field.ends]);
            }
            text.truncate(begins);
            text.extend_from_slice(&self.sorted);
        }
        text.push(b'}');
        self.fields.truncate(first_field);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    fn canonical(value: &Value) -> String {
        String::from_utf8(canonical_json(value, "at")).unwrap()
    }

    #[test]
    fn keys_stand_in_order_at_every_depth_and_the_outermost_without_is_left_out() {
        #[derive(Serialize)]
        struct Draft {
            b: Vec<Value>,
            at: u8,
            a: &'static str,
            c: Option<f64>,
        }
        let inner = json!({"z": {}, "at": [], "y z": 1, "y": "\"\n"});
        let draft = Draft { b: vec![inner, json!(null)], at: 7, a: "é", c: Some(1.50) };
        assert_eq!(
            String::from_utf8(canonical_json(&draft, "at")).unwrap(),
            r#"{"a":"é","b":[{"at":[],"y":"\"\n","y z":1,"z":{}},null],"c":1.5}"#
        );
        assert_eq!(
            (canonical(&json!({"at": 1})), canonical(&json!([1, {}]))),
            ("{}".into(), "[1,{}]".into())
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_it_says_is_the_same(value in any_json()) {
            let mut read: Value = serde_json::from_slice(&canonical_json(&value, "at")).unwrap();
            if let (Some(read), Some(at)) = (read.as_object_mut(), value.get("at")) {
                read.insert("at".into(), at.clone());
            }
            prop_assert_eq!(read, value);
        }
    }
}
