//! Fields of drafts as real portals write them: the `deserialize_with` of every optional field, list and integer.
//!
//! - An optional value, list or object that is null or a blank text is absent.
//! - An integer is one by its value: `12345.0` and `1e3` are, as in JSON Schema.
//! - A year of more than four digits is a time far away and not another type, so that the rules can name it.

use std::{fmt, marker::PhantomData, str::FromStr};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor, value},
};
use serde_json::{Map, Number, Value};

use crate::text::is_blank;

/// An optional value: absent if null or a blank text.
pub(crate) fn optional<'de, T: FieldValue, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(Optional(PhantomData))
}

/// A value that must be there.
pub(crate) fn required<'de, T: FieldValue, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(Required(PhantomData))
}

/// A list: empty if null or a blank text.
pub(crate) fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_any(Container { expected: "a list", of: PhantomData::<Vec<T>> })
}

/// An object without a schema: empty if null or a blank text.
pub(crate) fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    deserializer.deserialize_any(Container { expected: "an object", of: PhantomData::<Map<String, Value>> })
}

/// A type of fields.
pub(crate) trait FieldValue: Sized {
    /// What the type is called in findings.
    const EXPECTED: &'static str;

    fn from_text(_text: &str) -> Option<Self> {
        None
    }

    fn from_number(_number: &Number) -> Option<Self> {
        None
    }
}

impl FieldValue for String {
    const EXPECTED: &'static str = "a text";

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl FieldValue for i32 {
    const EXPECTED: &'static str = "a whole number from -2147483648 to 2147483647";

    fn from_number(number: &Number) -> Option<Self> {
        if let Some(whole) = number.as_i64() {
            return whole.try_into().ok();
        }
        let real = number.as_f64()?;
        let fits = real.fract() == 0.0 && real >= f64::from(Self::MIN) && real <= f64::from(Self::MAX);
        #[expect(clippy::cast_possible_truncation, reason = "the bounds are checked")]
        fits.then_some(real as Self)
    }
}

impl FieldValue for f64 {
    const EXPECTED: &'static str = "a number";

    fn from_number(number: &Number) -> Option<Self> {
        number.as_f64().filter(|real| real.is_finite())
    }
}

impl FieldValue for NaiveDate {
    const EXPECTED: &'static str = "a date such as 2026-05-01";

    fn from_text(text: &str) -> Option<Self> {
        parse_any_year(text, Self::MIN, Self::MAX)
    }
}

impl FieldValue for DateTime<Utc> {
    const EXPECTED: &'static str = "a time such as 2026-05-01T00:00:00Z";

    fn from_text(text: &str) -> Option<Self> {
        parse_any_year(text, Self::MIN_UTC, Self::MAX_UTC)
    }
}

/// A value of the field's type or an error that says what was found instead. Read without a JSON value in between: most fields
/// of most records come through here.
struct Required<T>(PhantomData<T>);

fn wrong_type<T: FieldValue, E: Error>(found: &str) -> E {
    E::custom(format_args!("must be {}, not {found}", T::EXPECTED))
}

impl<'de, T: FieldValue> Visitor<'de> for Required<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Err(wrong_type::<T, E>("null"))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<T, E> {
        Err(wrong_type::<T, E>("true or false"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).ok_or_else(|| wrong_type::<T, E>("this text"))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        number_of(&number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        number_of(&number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        number_of(&Number::from_f64(number).ok_or_else(|| wrong_type::<T, E>("this number"))?)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        Err(wrong_type::<T, A::Error>("a list"))
    }

    /// serde_json hands on a number whose digits it keeps as a map of one entry.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let number = Number::deserialize(value::MapAccessDeserializer::new(map));
        number_of(&number.map_err(|_object| wrong_type::<T, A::Error>("an object"))?)
    }
}

fn number_of<T: FieldValue, E: Error>(number: &Number) -> Result<T, E> {
    T::from_number(number).ok_or_else(|| wrong_type::<T, E>("this number"))
}

/// As [`Required`], but null and a blank text are no value.
struct Optional<T>(PhantomData<T>);

impl<'de, T: FieldValue> Visitor<'de> for Optional<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Option<T>, E> {
        Required(PhantomData).visit_bool(value).map(Some)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
        if is_blank(text) { Ok(None) } else { Required(PhantomData).visit_str(text).map(Some) }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<T>, E> {
        Required(PhantomData).visit_i64(number).map(Some)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<T>, E> {
        Required(PhantomData).visit_u64(number).map(Some)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Option<T>, E> {
        Required(PhantomData).visit_f64(number).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Option<T>, A::Error> {
        Required(PhantomData).visit_seq(list).map(Some)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
        Required(PhantomData).visit_map(map).map(Some)
    }
}

/// Parses a date or time. A year of more than four digits needs no sign; one that the type cannot hold becomes `earliest`
/// or `latest`.
fn parse_any_year<T: FromStr>(text: &str, earliest: T, latest: T) -> Option<T> {
    let text = text.trim();
    if let Ok(parsed) = text.parse() {
        return Some(parsed);
    }
    let (sign, digits, limit) = match text.strip_prefix('-') {
        Some(digits) => ('-', digits, earliest),
        None => ('+', text.strip_prefix('+').unwrap_or(text), latest),
    };
    let year_digits = digits.bytes().take_while(u8::is_ascii_digit).count();
    // Whether the rest is sound, a leap year tells.
    let sound = year_digits > 4 && format!("2000{}", &digits[year_digits..]).parse::<T>().is_ok();
    sound.then(|| format!("{sign}{digits}").parse().unwrap_or(limit))
}

/// A list or an object that may be null or blank.
struct Container<T> {
    expected: &'static str,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Container<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        if is_blank(text) {
            Ok(T::default())
        } else {
            Err(E::invalid_type(serde::de::Unexpected::Str(text), &self))
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<T, A::Error> {
        T::deserialize(value::SeqAccessDeserializer::new(seq))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(value::MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Default, Deserialize)]
    #[serde(default)]
    struct Draft {
        #[serde(deserialize_with = "optional")]
        text: Option<String>,
        #[serde(deserialize_with = "optional")]
        whole: Option<i32>,
        #[serde(deserialize_with = "optional")]
        real: Option<f64>,
        #[serde(deserialize_with = "optional")]
        date: Option<NaiveDate>,
        #[serde(deserialize_with = "optional")]
        time: Option<DateTime<Utc>>,
        #[serde(deserialize_with = "required")]
        count: i32,
        #[serde(deserialize_with = "list")]
        list: Vec<String>,
        #[serde(deserialize_with = "object")]
        object: Map<String, Value>,
    }

    fn read(value: &Value) -> Result<Draft, String> {
        serde_json::from_str(&value.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn null_and_blank_texts_are_absent_whatever_the_type() {
        for absent in [json!(null), json!(""), json!("  \t"), json!("\u{200b}")] {
            for field in ["text", "whole", "real", "date", "time", "list", "object"] {
                let value = json!({ field: absent });
                assert_eq!(read(&value), Ok(Draft::default()), "{value}");
            }
        }
    }

    #[test]
    fn integer_counts_by_its_value() {
        for number in ["12345", "12345.0", "1.2345e4", "123450e-1"] {
            let draft: Draft =
                serde_json::from_str(&format!(r#"{{"whole":{number},"count":{number}}}"#)).unwrap();
            assert_eq!((draft.whole, draft.count), (Some(12345), 12345), "{number}");
        }
        for number in ["0.5", "2147483648", "-3e9", "1e999", "true", "\"7\"", "{}", "[1]"] {
            let error =
                serde_json::from_str::<Draft>(&format!(r#"{{"whole":{number}}}"#)).unwrap_err().to_string();
            assert!(
                error.starts_with("must be a whole number from -2147483648 to 2147483647, not "),
                "{error}"
            );
        }
        assert!(read(&json!({"count": null})).unwrap_err().contains("not null"));
        assert!(read(&json!({"count": ""})).is_err());
    }

    #[test]
    fn list_and_object_of_another_type_are_refused() {
        for field in ["list", "object"] {
            for other in [json!(7), json!("text"), json!(true)] {
                assert!(read(&json!({ field: other })).is_err(), "{field}: {other}");
            }
        }
        assert!(read(&json!({"list": {"a": 1}})).is_err());
        assert!(read(&json!({"object": [1]})).is_err());
        assert_eq!(read(&json!({"list": ["a"]})).unwrap().list, ["a"]);
    }

    #[test]
    fn year_of_any_length_is_a_date_and_a_time() {
        let date = |text: &str| read(&json!({ "date": text })).unwrap().date.unwrap();
        assert_eq!(date("200000-01-01"), NaiveDate::from_ymd_opt(200_000, 1, 1).unwrap());
        assert_eq!(date("+10000-01-01"), NaiveDate::from_ymd_opt(10_000, 1, 1).unwrap());
        assert_eq!((date("999999999999-12-31"), date("-999999-12-31")), (NaiveDate::MAX, NaiveDate::MIN));
        let time = read(&json!({"time": "200000-01-01T00:00:00Z"})).unwrap().time.unwrap();
        assert_eq!(time.date_naive(), date("200000-01-01"));
        for text in ["200000-13-01", "200000", "01.05.2026", "2026-02-30", "20260501"] {
            assert!(read(&json!({ "date": text })).is_err(), "{text}");
        }
    }

    #[test]
    fn digits_of_a_number_in_an_object_are_kept() {
        let text = r#"{"object":{"n":[12345678901234567890123,1.50,1e400]}}"#;
        let draft: Draft = serde_json::from_str(text).unwrap();
        assert_eq!(
            serde_json::to_string(&draft.object).unwrap(),
            r#"{"n":[12345678901234567890123,1.50,1e+400]}"#
        );
    }
}
