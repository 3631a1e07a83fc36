//! The outer structure of an answer in which something is no JSON: bytes of another encoding, `NaN`, a raw line break. Objects
//! and lists are taken apart by their brackets and strings alone, so that one record is lost and not its page.

use std::borrow::Cow;

/// Where in the text its structure ends to make sense, as an offset in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) usize);

/// A key, and its value as it was sent.
type Member<'j> = (Cow<'j, str>, &'j [u8]);

/// The members of an object, values as they were sent. What comes after the object is not looked at.
pub(crate) fn members(json: &[u8]) -> Result<Vec<Member<'_>>, Broken> {
    let mut scanner = Scanner { json, at: 0 };
    scanner.expect(b'{')?;
    let mut members = Vec::new();
    while !scanner.take(b'}') {
        let key = scanner.string()?;
        scanner.expect(b':')?;
        members.push((text(key), scanner.value()?));
        if !scanner.take(b',') && scanner.peek() != Some(b'}') {
            return Err(Broken(scanner.at));
        }
    }
    Ok(members)
}

/// The elements of a list as they were sent, of which one more than `limit` is read at most, and where it breaks off, if it
/// does.
pub(crate) fn elements(json: &[u8], limit: usize) -> (Vec<&[u8]>, Option<Broken>) {
    let mut scanner = Scanner { json, at: 0 };
    let mut elements = Vec::new();
    let mut scan = || {
        scanner.expect(b'[')?;
        while elements.len() <= limit && !scanner.take(b']') {
            match scanner.value()? {
                [] => return Err(Broken(scanner.at)),
                element => elements.push(element),
            }
            if !scanner.take(b',') && scanner.peek() != Some(b']') {
                return Err(Broken(scanner.at));
            }
        }
        Ok(())
    };
    let broken = scan().err();
    (elements, broken)
}

/// A JSON string as text, quotes included in `json`; where it is malformed, as near as can be.
fn text(json: &[u8]) -> Cow<'_, str> {
    serde_json::from_slice(json)
        .unwrap_or_else(|_malformed| String::from_utf8_lossy(json.get(1..json.len() - 1).unwrap_or_default()))
}

struct Scanner<'j> {
    json: &'j [u8],
    at: usize,
}

impl<'j> Scanner<'j> {
    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        while self.json.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.json.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        if self.take(byte) { Ok(()) } else { Err(Broken(self.at)) }
    }

    /// A string, with its quotes.
    fn string(&mut self) -> Result<&'j [u8], Broken> {
        self.expect(b'"')?;
        let begin = self.at - 1;
        loop {
            match self.json.get(self.at) {
                None => return Err(Broken(self.at)),
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        Ok(&self.json[begin..self.at])
    }

    /// Everything up to the comma or bracket that ends the value; empty if there is none.
    fn value(&mut self) -> Result<&'j [u8], Broken> {
        self.peek();
        let begin = self.at;
        let mut depth = 0_usize;
        loop {
            match self.json.get(self.at) {
                None => return Err(Broken(self.at)),
                Some(b'"') => drop(self.string()?),
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                    // What follows an object or a list belongs to another value, though its comma be missing.
                    if depth == 0 {
                        break;
                    }
                }
                Some(b'}' | b']' | b',') if depth == 0 => break,
                Some(_) => self.at += 1,
            }
        }
        Ok(self.json[begin..self.at].trim_ascii_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_around_what_is_no_json() {
        let list = b"[ {\"id\":\"a\\\"]\"} , {\"id\":\"Gj\xf8a\"},{\"n\":NaN,\"t\":\"a\nb\"},\"M/V \"Star\"\", [1,[2]] ]";
        let (found, broken) = elements(list, 10);
        assert_eq!((found.len(), broken), (5, None));
        assert_eq!((found[0], found[4]), (&b"{\"id\":\"a\\\"]\"}"[..], &b"[1,[2]]"[..]));
        assert_eq!(elements(b"[]", 10), (Vec::new(), None));
        assert_eq!(elements(list, 2), (found[..3].to_vec(), None), "one more than may be");
    }

    #[test]
    fn list_that_breaks_off_says_where_and_what_came_before() {
        for (list, before, at) in
            [("[{\"a\":1},{\"b\"", 1, 13), ("[1}", 1, 2), ("[1,,2]", 1, 3), ("7", 0, 0), ("[\"a\\", 0, 5)]
        {
            let (found, broken) = elements(list.as_bytes(), 10);
            assert_eq!((found.len(), broken), (before, Some(Broken(at))), "{list}");
        }
    }

    #[test]
    fn members_are_found_by_their_keys() {
        let object = b" {\"data\": [NaN, {}], \"pa\\u0067e\": {\"limit\": 2} } rest";
        let found = members(object).unwrap();
        assert_eq!(found[0], ("data".into(), &b"[NaN, {}]"[..]));
        assert_eq!(found[1], ("page".into(), &b"{\"limit\": 2}"[..]));
        assert!(members(b"{\"a\" 1}").is_err() && members(b"{\"a\":1").is_err() && members(b"[]").is_err());
    }
}
