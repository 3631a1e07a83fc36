//! What technical data may hold. It has no schema, and is kept as it was sent: numbers with all their digits.

use serde_json::{Map, Value};

use crate::Finding;

/// Longest number that is kept, characters.
const NUMBER_LENGTH_LIMIT: usize = 400;
/// Largest power of ten of a number, up or down: the database writes numbers out without one.
const EXPONENT_LIMIT: i64 = 400;

/// Adds a finding for each number and each text that the database could not keep.
pub(crate) fn check_specs(pointer: &str, specs: &Map<String, Value>, findings: &mut Vec<Finding>) {
    for (key, value) in specs {
        if key.contains('\0') {
            findings.push(null_character(pointer));
        } else if needs_check(value) {
            let at = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            check_value(&at, value, findings);
        }
    }
}

/// Nearly all values are plain: only for others a pointer is made.
fn needs_check(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(number) => number.as_i64().is_none(),
        Value::String(text) => text.contains('\0'),
        Value::Array(_) | Value::Object(_) => true,
    }
}

fn check_value(pointer: &str, value: &Value, findings: &mut Vec<Finding>) {
    match value {
        Value::Number(number) if !can_be_kept(&number.to_string()) => {
            let message = format!(
                "must be a number of at most {NUMBER_LENGTH_LIMIT} characters and a power of ten from -{EXPONENT_LIMIT} to \
                 {EXPONENT_LIMIT}"
            );
            findings.push(Finding::error("out_of_range", pointer, message).with_value(number));
        }
        Value::String(text) if text.contains('\0') => findings.push(null_character(pointer)),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate().filter(|(_, item)| needs_check(item)) {
                check_value(&format!("{pointer}/{i}"), item, findings);
            }
        }
        Value::Object(fields) => check_specs(pointer, fields, findings),
        _ => {}
    }
}

fn null_character(pointer: &str) -> Finding {
    Finding::error("control_character", pointer, "must hold no character U+0000")
}

fn can_be_kept(number: &str) -> bool {
    let exponent = number.split_once(['e', 'E']).map_or(Ok(0), |(_, exponent)| exponent.parse::<i64>());
    number.len() <= NUMBER_LENGTH_LIMIT
        && exponent.is_ok_and(|exponent| (-EXPONENT_LIMIT..=EXPONENT_LIMIT).contains(&exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> Vec<(&'static str, String)> {
        let mut findings = Vec::new();
        check_specs("/specs", &serde_json::from_str(json).unwrap(), &mut findings);
        findings.into_iter().map(|it| (it.code, it.pointer)).collect()
    }

    #[test]
    fn numbers_and_texts_that_the_database_cannot_keep_are_found_at_their_places() {
        let json = r#"{"a/b": [1, {"c~": 1e401}], "d": "x\u0000", "e\u0000": 1, "f": -1E-999999999999999999999,
                       "g": 12345678901234567890123, "h": 0.1, "i": "\u0001"}"#;
        assert_eq!(
            found(json),
            [
                ("out_of_range", "/specs/a~1b/1/c~0".to_owned()),
                ("control_character", "/specs/d".to_owned()),
                ("control_character", "/specs".to_owned()),
                ("out_of_range", "/specs/f".to_owned()),
            ]
        );
        assert_eq!(found(&format!(r#"{{"n": {}}}"#, "9".repeat(401))).len(), 1);
    }
}
