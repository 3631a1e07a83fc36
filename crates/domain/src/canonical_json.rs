//! JSON of which there is one form: no spaces, keys in order. What is written this way can be hashed.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{
    Serializer,
    ser::{CharEscape, CompactFormatter, Formatter},
};

/// The canonical JSON of a value, without the key `without` of its outermost object. Keys stand in the order of their bytes
/// as they are written.
///
/// # Panics
///
/// If the value cannot be JSON: it has keys that are no text.
pub(crate) fn canonical_json<T: Serialize>(value: &T, without: &str) -> Vec<u8> {
    let mut formatter = SortingFormatter {
        text: Vec::with_capacity(2048),
        without: without.as_bytes(),
        open: Vec::with_capacity(4),
        fields: Vec::with_capacity(64),
        sorted: Vec::new(),
    };
    value
        .serialize(&mut Serializer::with_formatter(io::sink(), &mut formatter))
        .expect("what is hashed are structs with text keys");
    formatter.text
}

/// Writes into a text of its own, where it puts an object in order once it is whole, and nothing into the serializer's
/// writer.
struct SortingFormatter<'w> {
    text: Vec<u8>,
    without: &'w [u8],
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
    /// The first eight bytes of the key as a number: enough to order most keys.
    prefix: u64,
}

impl Field {
    fn key<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &text[self.begins + 1..self.key_ends - 1] // without its quotes
    }

    fn cmp(&self, other: &Self, text: &[u8]) -> std::cmp::Ordering {
        self.prefix.cmp(&other.prefix).then_with(|| self.key(text).cmp(other.key(text)))
    }
}

/// A number by its significant digits: `0.digits` times ten to the power of `exponent`.
#[derive(PartialEq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Of a number of JSON; none if its exponent is beyond all measure.
    fn of(text: &str) -> Option<Self> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        let (significand, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = significand.split_once('.').unwrap_or((significand, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let leading_zeros = all.len() - digits.len();
        let digits = digits.trim_end_matches('0').to_owned();
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(leading_zeros).ok()?;
        let exponent =
            if digits.is_empty() { 0 } else { exponent.parse::<i64>().ok()?.checked_add(point)? };
        Some(Self { negative, digits, exponent })
    }
}

impl SortingFormatter<'_> {
    fn field(&mut self) -> &mut Field {
        self.fields.last_mut().expect("a key comes before its value")
    }
}

macro_rules! compact {
    ($($write:ident($($value:ident: $of:ty)?),)*) => {
        $(fn $write<W: ?Sized + Write>(&mut self, _: &mut W $(, $value: $of)?) -> io::Result<()> {
            CompactFormatter.$write(&mut self.text $(, $value)?)
        })*
    };
}

impl Formatter for &mut SortingFormatter<'_> {
    compact! {
        write_null(), write_bool(value: bool),
        write_i8(value: i8), write_i16(value: i16), write_i32(value: i32), write_i64(value: i64), write_i128(value: i128),
        write_u8(value: u8), write_u16(value: u16), write_u32(value: u32), write_u64(value: u64), write_u128(value: u128),
        write_f32(value: f32), write_f64(value: f64),
        begin_string(), write_string_fragment(fragment: &str), write_char_escape(escape: CharEscape), end_string(),
        begin_array(), begin_array_value(first: bool), end_array_value(), end_array(),
        begin_object_value(), write_raw_fragment(fragment: &str),
    }

    /// A number that a float holds without loss has one form, however it was written; of others the digits stay.
    fn write_number_str<W: ?Sized + Write>(&mut self, _: &mut W, value: &str) -> io::Result<()> {
        let begins = self.text.len();
        if value != "-0"
            && let Ok(whole) = value.parse::<i128>()
            && (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&whole)
        {
            return CompactFormatter.write_i128(&mut self.text, whole);
        }
        if let Some(float) = value.parse().ok().filter(|float: &f64| float.is_finite()) {
            CompactFormatter.write_f64(&mut self.text, float)?;
            let written = str::from_utf8(&self.text[begins..]).ok();
            if written.and_then(Decimal::of).is_some_and(|written| Decimal::of(value) == Some(written)) {
                return Ok(());
            }
            self.text.truncate(begins);
        }
        self.text.extend_from_slice(value.as_bytes());
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.open.push(Object { begins: self.text.len(), first_field: self.fields.len() });
        self.text.push(b'{');
        Ok(())
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, _: &mut W, _first: bool) -> io::Result<()> {
        // The first one may have been left out.
        if self.open.last().is_some_and(|object| self.fields.len() > object.first_field) {
            self.text.push(b',');
        }
        let here = self.text.len();
        self.fields.push(Field { begins: here, key_ends: here, ends: here, prefix: 0 });
        Ok(())
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        let key_ends = self.text.len();
        self.field().key_ends = key_ends;
        let mut prefix = [0; 8];
        let key = self.fields.last().map_or(&[][..], |field| field.key(&self.text));
        let length = key.len().min(prefix.len());
        prefix[..length].copy_from_slice(&key[..length]);
        self.field().prefix = u64::from_be_bytes(prefix);
        Ok(())
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        let ends = self.text.len();
        self.field().ends = ends;
        if self.open.len() == 1
            && let Some(field) = self.fields.pop_if(|field| field.key(&self.text) == self.without)
        {
            // With the comma before it, if there is one.
            let comma = usize::from(!self.fields.is_empty());
            self.text.truncate(field.begins - comma);
        }
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        let SortingFormatter { text, open, fields, sorted, .. } = &mut **self;
        let Object { begins, first_field } = open.pop().expect("an object that ends has begun");
        let own = &mut fields[first_field..];
        if !own.is_sorted_by(|one, other| one.cmp(other, text).is_le()) {
            own.sort_unstable_by(|one, other| one.cmp(other, text));
            sorted.clear();
            for field in own {
                sorted.push(if sorted.is_empty() { b'{' } else { b',' });
                sorted.extend_from_slice(&text[field.begins..field.ends]);
            }
            text.truncate(begins);
            text.extend_from_slice(sorted);
        }
        text.push(b'}');
        fields.truncate(first_field);
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

    #[test]
    fn number_has_one_form_unless_a_float_would_lose_digits() {
        let number = |text: &str| canonical(&serde_json::from_str(text).unwrap());
        for (texts, form) in [
            (&["1", "1"][..], "1"),
            (&["-5"], "-5"),
            (&["1.5", "1.50", "15e-1", "0.15E1"], "1.5"),
            (&["1.0", "1e0", "10e-1"], "1.0"),
            (&["1000.0", "1e3", "1E+3"], "1000.0"),
            (&["-0", "-0.0", "-0e9"], "-0.0"),
            (&["18446744073709551615"], "18446744073709551615"),
            (&["-9223372036854775808"], "-9223372036854775808"),
            (&["10000000000000000000000", "1e22"], "1e+22"),
            (&["12345678901234567890123"], "12345678901234567890123"),
            (&["0.10000000000000000001"], "0.10000000000000000001"),
            (&["1e400"], "1e+400"),
            (&["1e-400"], "1e-400"),
            (&["1e99999999999999999999"], "1e+99999999999999999999"),
        ] {
            for text in texts {
                assert_eq!(number(text), form, "{text}");
            }
        }
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
