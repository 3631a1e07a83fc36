//! Server-sent events out of the bytes of a response (WHATWG HTML, section 9.2).

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ServerSentEvent {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) data: String,
}

/// Parses a stream of events, in whatever chunks its bytes arrive.
#[derive(Default)]
pub(super) struct EventParser {
    unread: Vec<u8>,
    current: ServerSentEvent,
}

impl EventParser {
    /// The events that these bytes complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<ServerSentEvent> {
        let mut complete = Vec::new();
        self.unread.extend_from_slice(bytes);
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                let event = std::mem::take(&mut self.current);
                if !event.data.is_empty() {
                    complete.push(event);
                }
            } else {
                self.read_field(line);
            }
        }
        complete
    }

    fn read_field(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.current.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.current.name),
            "data" => {
                if !self.current.data.is_empty() {
                    self.current.data.push('\n');
                }
                self.current.data.push_str(value);
            }
            _ => {} // retry, comments
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_cut_at_any_byte_are_read_whole() {
        let text =
            "retry: 3000\n\nevent: heartbeat\ndata: {}\n\nid: 7\r\nevent: sync.progress\r\ndata: é\r\n\r\n";
        let event = |id: Option<&str>, name: &str, data: &str| ServerSentEvent {
            id: id.map(str::to_owned),
            name: name.to_owned(),
            data: data.to_owned(),
        };
        for size in 1..text.len() {
            let mut parser = EventParser::default();
            let parsed: Vec<_> = text.as_bytes().chunks(size).flat_map(|chunk| parser.feed(chunk)).collect();
            assert_eq!(
                parsed,
                [event(None, "heartbeat", "{}"), event(Some("7"), "sync.progress", "é")],
                "{size}"
            );
        }
    }
}
